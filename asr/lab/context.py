"""Errors by context: a model's accuracy when each output frame reads only a window."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from asr.corpus.utterance import Utterance
from asr.lab.gradient import Advance
from asr.lab.window import windowed_outputs
from asr.model.acoustic import AcousticModel
from asr.recognizer import Recognizer
from asr.wer.score import Tally, score

CONTEXTS = (0, 1, 2, 4, 8, 16, 32, 64)  # output frames to either side


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
