"""Priors: each token's share of the speech, as a model outputs it."""

from collections.abc import Iterable

import torch
from torch import Tensor

from asr.features.padding import padding_mask
from asr.model.acoustic import AcousticModel
from asr.train.step import TrainingBatch

PRIOR_UTTERANCES = 200  # of the training set, evenly spread
LEAST = 1e-6  # of a token that is never output; a smaller one would let it win everywhere


def estimate_priors(model: AcousticModel, batches: Iterable[TrainingBatch]) -> dict[str, Tensor]:
    """Average the probabilities of tokens over all encoder frames.

    Args:
        model: In evaluation mode.
        batches: Of about a hundred utterances of the training set or more, not augmented.

    Returns:
        (V,) float32 for each head; see `BeamConfig.prior_weight` for their use.
    """
    sums = {head: torch.zeros(1, dtype=torch.float64) for head in model.heads}
    with torch.inference_mode():
        for batch in batches:
            frames, lengths = model.encode(batch.features, batch.lengths)
            is_valid = ~padding_mask(lengths, frames.shape[1])  # (B, T')
            for head, so_far in sums.items():
                probs = model.score(frames, head).double().exp()
                sums[head] = so_far + probs[is_valid].sum(dim=0)
    return {head: (s / s.sum()).clamp(min=LEAST).float() for head, s in sums.items()}
