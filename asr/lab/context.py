"""Context: a network's output, and its errors, when each frame reads only part of the input."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from asr.corpus.utterance import Utterance
from asr.features.padding import pad
from asr.lab.gradient import Advance
from asr.lab.sensitivity import Network
from asr.lengths import subsampled_lengths
from asr.model.acoustic import AcousticModel
from asr.recognizer import Recognizer
from asr.wer.score import Tally, score

CONTEXTS = (0, 1, 2, 4, 8, 16, 32, 64)  # output frames to either side
MAX_FRAMES = 20_000  # of features in a batch, padding included; bounds memory


@dataclass(frozen=True, slots=True)
class ContextErrors:
    """The errors of a model of limited context.

    Attributes:
        seconds: Of context to either side of each output frame; infinite: the whole utterance.
        total: Counts over all utterances.
    """

    seconds: float
    total: Tally


def errors_by_context(
    network: AcousticModel,
    recognizer: Recognizer,
    utterances: Sequence[Utterance],
    features: Sequence[Tensor],
    advance: Advance,
) -> Iterator[ContextErrors]:
    """Count the errors at each context, from the shortest to the whole utterance.

    The search always reads the whole output.

    Args:
        network: The recognizer's.
        recognizer: Searches the output.
        utterances: With texts.
        features: (T, F) of each, normalised as a whole.
        advance: Called for every utterance at every context.

    Raises:
        DataError: An utterance has no text, or two share an id.
    """
    config, head = recognizer.model.config, recognizer.searcher.head
    run, factor = partial(network, head=head), config.model.subsampling_factor
    for context in (*CONTEXTS, None):
        hypotheses = {}
        for utterance, own in zip(utterances, features, strict=True):
            with torch.inference_mode():
                log_probs = windowed_outputs(run, own, context=context, factor=factor)
            hypotheses[utterance.id] = recognizer.text_of(log_probs.numpy())
            advance()
        total = score(utterances, hypotheses, config.text.normaliser).total
        yield ContextErrors(math.inf if context is None else context * config.frame_shift, total)


def windowed_outputs(
    network: Network, features: Tensor, *, context: int | None, factor: int
) -> Tensor:
    """Compute each output frame from its own window of the input.

    To the network, the edges of a window are those of an utterance; only one frame of its output is
    kept. This is exact, and costs as many passes over the utterance as a window has frames.

    Args:
        network: Any whose output for an utterance is the same alone and in a batch.
        features: (T, F) of one utterance.
        context: Output frames to either side of the frame itself; None: all.
        factor: Input frames per output frame.

    Returns:
        (T', V).
    """
    n_frames = subsampled_lengths(len(features), factor)
    reach = n_frames if context is None else context
    windows: dict[tuple[int, int], list[int]] = {}  # (start, stop) → the output frames it serves
    for frame in range(n_frames):
        start, stop = max(frame - reach, 0), min(frame + reach + 1, n_frames)
        windows.setdefault((start, stop), []).append(frame)
    kept: list[Tensor] = []
    at_once = max(1, MAX_FRAMES // (factor * max((b - a for a, b in windows), default=1)))
    spans = list(windows)
    for first in range(0, len(spans), at_once):
        batch = spans[first : first + at_once]
        outputs, _ = network(*pad([features[factor * a : factor * b] for a, b in batch]))
        kept += [
            row[[frame - start for frame in windows[start, stop]]]
            for row, (start, stop) in zip(outputs, batch, strict=True)
        ]
    return torch.cat(kept) if kept else network(*pad([features]))[0][0, :0]
