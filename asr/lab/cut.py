"""What is left of a model's accuracy when each of its frames hears only so much."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from asr.corpus.utterance import Utterance
from asr.lab.gradient import Advance
from asr.lab.window import windowed_outputs
from asr.recognizer import Recognizer
from asr.wer.score import Tally, score

CUT_FRAMES = (0, 1, 2, 4, 8, 16, 32, 64)  # output frames heard to either side


@dataclass(frozen=True, slots=True)
class Cut:
    """The errors of a model each of whose frames hears only so much.

    Attributes:
        seconds: Heard to either side, beside the frame itself; None: all there is.
        total: Counts over all utterances.
    """

    seconds: float | None
    total: Tally


def cut_context(
    recognizer: Recognizer,
    utterances: Sequence[Utterance],
    features: Sequence[Tensor],
    advance: Advance,
) -> Iterator[Cut]:
    """Count the errors at each context of the acoustic model, from the shortest to all there is.

    What comes after it, a speller or a search, reads the whole utterance at each.

    Args:
        recognizer: The model, and how it is searched.
        utterances: With texts.
        features: (T, F) of each, normalised as a whole.
        advance: Called for every utterance at every context.

    Raises:
        DataError: An utterance has no text, or two share an id.
    """
    checkpoint = recognizer.checkpoint
    for n in (*CUT_FRAMES, None):
        hypotheses = {}
        for utterance, of_one in zip(utterances, features, strict=True):
            hypotheses[utterance.id] = _recognise(recognizer, of_one, n)
            advance()
        total = score(utterances, hypotheses, checkpoint.config.text.normaliser).total
        yield Cut(None if n is None else n * checkpoint.frame_shift, total)


def _recognise(recognizer: Recognizer, features: Tensor, n_frames: int | None) -> str:
    """Recognise (T, F), each output frame heard from `n_frames` to either side."""
    checkpoint = recognizer.checkpoint
    network = partial(checkpoint.model, output=checkpoint.heard(recognizer.output))
    factor = checkpoint.config.model.subsampling_factor
    with torch.inference_mode():
        heard = windowed_outputs(network, features, left=n_frames, right=n_frames, factor=factor)
    return recognizer.read(heard)
