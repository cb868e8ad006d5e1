"""Measurement: a model and speech become figures of what the model remembers."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from asr.checkpoint.network import Checkpoint, untrained
from asr.corpus.loader import read_utterance
from asr.corpus.utterance import Utterance
from asr.errors import DataError
from asr.lab.context import CONTEXTS, ContextErrors, errors_by_context
from asr.lab.curve import Curve
from asr.lab.gradient import Advance, gradient_curve, scaled_recurrence
from asr.model.acoustic import AcousticModel
from asr.model.config import ModelConfig
from asr.recognizer import Recognizer

SCALES = (1.0, 2.0, 3.0, 4.0)  # factors of the recurrent weights of an untrained network


@dataclass(frozen=True, slots=True)
class Subject:
    """A model to measure.

    Attributes:
        name: For the legend.
        checkpoint: Its network.
        recognizer: Its search, whose head is differentiated and whose errors are counted.
    """

    name: str
    checkpoint: Checkpoint
    recognizer: Recognizer


@dataclass(frozen=True, slots=True)
class Memory:
    """What a model remembers.

    Attributes:
        name: For the legend.
        config: The network's.
        n_weights: Weights and biases.
        trained: The gradient by distance.
        untrained: The same of the network that training started from.
        errors: By context, from the shortest to the whole utterance; empty without references.
    """

    name: str
    config: ModelConfig
    n_weights: int
    trained: Curve
    untrained: Curve
    errors: tuple[ContextErrors, ...]


def measure_memory(
    subject: Subject, utterances: Sequence[Utterance], *, max_seconds: float, advance: Advance
) -> Memory:
    """Measure what a model remembers of some speech.

    Args:
        subject: The model.
        utterances: The speech. If all have texts, errors are counted, too.
        max_seconds: How far to look to either side.
        advance: Called for every utterance at every step; `n_steps` counts the calls.

    Raises:
        AudioError: A recording cannot be read.
        DataError: No utterance has a frame.
    """
    model, recognizer = subject.checkpoint.model, subject.recognizer
    features = _features(subject.checkpoint, utterances)
    trained, before = (
        _curve(subject, network, features, max_seconds, advance)
        for network in (model, untrained(subject.checkpoint).model)
    )
    errors: tuple[ContextErrors, ...] = ()
    if _has_texts(utterances):
        errors = tuple(errors_by_context(model, recognizer, utterances, features, advance))
    n_weights = sum(parameter.numel() for parameter in model.parameters())
    return Memory(subject.name, model.config, n_weights, trained, before, errors)


def measure_scales(
    subject: Subject, utterances: Sequence[Utterance], *, max_seconds: float, advance: Advance
) -> dict[float, Curve]:
    """Measure the untrained network with its recurrent weights multiplied by each of `SCALES`.

    Arguments and errors are those of `measure_memory`; `advance` is called once per utterance and
    factor.
    """
    features = _features(subject.checkpoint, utterances)
    start = untrained(subject.checkpoint).model
    return {
        scale: _curve(subject, scaled_recurrence(start, scale), features, max_seconds, advance)
        for scale in SCALES
    }


def n_steps(n_models: int, utterances: Sequence[Utterance]) -> int:
    """Count the calls of `advance` that measure the memory of some models and the scales of one."""
    n_contexts = (len(CONTEXTS) + 1) * _has_texts(utterances)
    return len(utterances) * (n_models * (2 + n_contexts) + len(SCALES))


def _features(checkpoint: Checkpoint, utterances: Sequence[Utterance]) -> list[Tensor]:
    """Compute the features of each utterance, (T, F), as the network reads them."""
    front_end, features = checkpoint.front_end, []
    for utterance in utterances:
        waveform = torch.from_numpy(read_utterance(utterance, front_end.config.sample_rate))
        with torch.no_grad():
            batch, _ = front_end(waveform.unsqueeze(0), torch.tensor([len(waveform)]))
        features.append(batch[0])
    if not any(len(own) for own in features):
        raise DataError("expected speech, got none of at least one frame")
    return features


def _curve(
    subject: Subject,
    network: AcousticModel,
    features: Sequence[Tensor],
    max_seconds: float,
    advance: Advance,
) -> Curve:
    """Measure a network of the subject's shape at the head that is searched."""
    shift, head = subject.checkpoint.config.frame_shift, subject.recognizer.searcher.head
    longest = max(map(len, features)) / subject.checkpoint.config.model.subsampling_factor
    max_distance = max(1, round(min(max_seconds / shift, longest)))
    return gradient_curve(network, features, max_distance, shift, advance, head)


def _has_texts(utterances: Sequence[Utterance]) -> bool:
    return all(utterance.text is not None for utterance in utterances)
