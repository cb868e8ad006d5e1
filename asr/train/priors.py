"""Priors: how much of the speech each token takes, as a model hears it."""

from collections.abc import Iterable

import torch
from torch import Tensor

from asr.model.acoustic import AcousticModel, Output
from asr.train.step import TrainingBatch

PRIOR_UTTERANCES = 200  # of the training set, evenly spread
LEAST = 1e-6  # what a token that was never heard counts as; less would let it win everywhere


def estimate_priors(model: AcousticModel, batches: Iterable[TrainingBatch]) -> dict[Output, Tensor]:
    """Average the probabilities of tokens over all encoder frames.

    Args:
        model: In evaluation mode.
        batches: Of some hundred utterances of the training set, not augmented.

    Returns:
        (V,) float32 for each output of the model; `BeamConfig.prior_weight` says what it is for.
    """
    outputs: tuple[Output, ...] = ("text", "phones") if model.phone_projection else ("text",)
    sums = {output: torch.zeros(1, dtype=torch.float64) for output in outputs}
    depth = [model.config.n_layers]
    with torch.inference_mode():
        for batch in batches:
            nothing_dropped = model.draw_dropout(len(batch.lengths), torch.Generator(), 0.0)
            (frames,), lengths = model.encode_at(
                batch.features, batch.lengths, depth, nothing_dropped
            )
            for output in outputs:
                probs = model.score(frames, output).double().exp()
                heard = torch.arange(probs.shape[1]) < lengths[:, None]  # (B, T')
                sums[output] = sums[output] + probs[heard].sum(dim=0)
    return {output: (s / s.sum()).clamp(min=LEAST).float() for output, s in sums.items()}
