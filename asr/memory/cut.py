"""What is left of a model's accuracy when each of its frames hears only so much."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from asr.checkpoint import Checkpoint
from asr.corpus.utterance import Utterance
from asr.memory.gradient import Advance
from asr.model.window import windowed_outputs
from asr.search.greedy import greedy_search
from asr.wer.score import Tally, score

CUT_FRAMES = (0, 1, 2, 4, 8, 16, 32, 64)  # output frames heard to either side


@dataclass(frozen=True, slots=True)
class Cut:
    """The errors of a model each of whose frames hears only so much.

    Attributes:
        seconds: Heard to either side, beside the frame itself; None: all there is.
        total: Counts over all utterances, greedy search.
    """

    seconds: float | None
    total: Tally


def cut_context(
    checkpoint: Checkpoint,
    utterances: Sequence[Utterance],
    features: Sequence[Tensor],
    advance: Advance,
) -> Iterator[Cut]:
    """Count the errors of greedy search at each context, from the shortest to all there is.

    Args:
        checkpoint: The model.
        utterances: With texts.
        features: (T, F) of each, normalised as a whole.
        advance: Called for every utterance at every context.

    Raises:
        DataError: An utterance has no text, or two share an id.
    """
    for n in (*CUT_FRAMES, None):
        hypotheses = {}
        for utterance, of_one in zip(utterances, features, strict=True):
            hypotheses[utterance.id] = _recognise(checkpoint, of_one, n)
            advance()
        total = score(utterances, hypotheses, checkpoint.config.text.normaliser).total
        yield Cut(None if n is None else n * checkpoint.frame_shift, total)


def _recognise(checkpoint: Checkpoint, features: Tensor, n_frames: int | None) -> str:
    """Read (T, F) greedily, each output frame from `n_frames` to either side."""
    factor = checkpoint.config.model.subsampling_factor
    with torch.inference_mode():
        log_probs = windowed_outputs(
            checkpoint.model, features, left=n_frames, right=n_frames, factor=factor
        )
    (hypothesis,) = greedy_search(log_probs.unsqueeze(0), torch.tensor([len(log_probs)]))
    return checkpoint.tokenizer.decode(hypothesis.tokens)
