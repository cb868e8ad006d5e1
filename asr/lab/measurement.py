"""Measurement: a model and some speech become numbers that say what the model remembers."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from asr.checkpoint.network import Checkpoint, untrained
from asr.corpus.loader import prefetch, read_utterance
from asr.corpus.statistics import speaker_statistics, stacked_statistics
from asr.corpus.utterance import Utterance
from asr.errors import ConfigError, DataError
from asr.lab.curve import Curve
from asr.lab.cut import CUT_FRAMES, Cut, cut_context
from asr.lab.gradient import Advance, gradient_curve, scaled_recurrence
from asr.model.acoustic import AcousticModel
from asr.model.config import ModelConfig
from asr.recognizer import Recognizer

SCALES = (1.0, 2.0, 3.0, 4.0)  # factors on the recurrent weights of an untrained network
READ_AHEAD = 8  # utterances


@dataclass(frozen=True, slots=True)
class Memory:
    """What a model remembers.

    Attributes:
        name: For the legend.
        config: The network's.
        n_weights: How many numbers training chose.
        trained: The gradient by distance.
        untrained: The same of the network that training began with.
        cuts: Errors by context, the shortest first, all of it last; empty without references.
    """

    name: str
    config: ModelConfig
    n_weights: int
    trained: Curve
    untrained: Curve
    cuts: tuple[Cut, ...]


def measure_memory(
    name: str,
    recognizer: Recognizer,
    utterances: Sequence[Utterance],
    *,
    max_seconds: float,
    advance: Advance,
) -> Memory:
    """Measure what a model remembers, on speech that it is given.

    Args:
        name: For the legend.
        recognizer: The model, and how it is searched: the errors are those of the search, the
            gradient is that of the output which it searches.
        utterances: What it hears. If all have texts, errors are counted too.
        max_seconds: How far to look, to either side.
        advance: Called whenever an utterance is done with; `n_steps` says how often.

    Raises:
        AudioError: A recording cannot be read.
        DataError: There is no utterance of at least one frame.
        ConfigError: The model gives several output frames for one of its encoder.
    """
    checkpoint = recognizer.checkpoint
    if checkpoint.config.model.upsampling_factor > 1:
        raise ConfigError(
            "memory can be measured where model.upsampling_factor is 1, got "
            f"{checkpoint.config.model.upsampling_factor}"
        )
    features = speech_features(checkpoint, utterances)
    trained, before = (
        _curve(recognizer, model, features, max_seconds, advance)
        for model in (checkpoint.model, untrained(checkpoint).model)
    )
    cuts: tuple[Cut, ...] = ()
    if _has_texts(utterances):
        cuts = tuple(cut_context(recognizer, utterances, features, advance))
    n_weights = sum(parameter.numel() for parameter in checkpoint.model.parameters())
    return Memory(name, checkpoint.config.model, n_weights, trained, before, cuts)


def measure_knob(
    recognizer: Recognizer,
    utterances: Sequence[Utterance],
    *,
    max_seconds: float,
    advance: Advance,
) -> dict[float, Curve]:
    """Measure the untrained network with its recurrent weights multiplied by each of `SCALES`.

    Arguments and errors are those of `measure_memory`; `advance` is called once an utterance and
    factor.
    """
    features = speech_features(recognizer.checkpoint, utterances)
    start = untrained(recognizer.checkpoint).model
    return {
        scale: _curve(recognizer, scaled_recurrence(start, scale), features, max_seconds, advance)
        for scale in SCALES
    }


def n_steps(n_models: int, utterances: Sequence[Utterance]) -> int:
    """Count the calls of `advance` that measuring some models takes, and the knob of one."""
    n_cuts = (len(CUT_FRAMES) + 1) * _has_texts(utterances)
    return len(utterances) * (n_models * (2 + n_cuts) + len(SCALES))


def speech_features(checkpoint: Checkpoint, utterances: Sequence[Utterance]) -> list[Tensor]:
    """Compute (T, F) of each utterance as the model is fed them.

    Raises:
        AudioError: A recording cannot be read.
        DataError: No utterance has a frame.
    """
    front_end, rate = checkpoint.front_end, checkpoint.config.features.sample_rate
    by_speaker = front_end.config.cmvn == "speaker"
    speakers = speaker_statistics(front_end, utterances) if by_speaker else {}

    def compute(utterance: Utterance) -> Tensor:
        waveform = read_utterance(utterance, rate)
        row = stacked_statistics(speakers, [utterance], front_end.n_features)
        with torch.no_grad():
            features, _ = front_end(waveform.unsqueeze(0), torch.tensor([len(waveform)]), row)
        of_one: Tensor = features[0]
        return of_one

    features = list(prefetch(compute, utterances, depth=READ_AHEAD))
    if not any(len(of_one) for of_one in features):
        raise DataError("expected speech to listen to, got none of at least one frame")
    return features


def _curve(
    recognizer: Recognizer,
    model: AcousticModel,
    features: Sequence[Tensor],
    max_seconds: float,
    advance: Advance,
) -> Curve:
    """Measure a network of the recognizer's shape by the output that is searched."""
    checkpoint = recognizer.checkpoint
    shift, output = checkpoint.frame_shift, checkpoint.heard(recognizer.output)
    max_distance = max(1, round(max_seconds / shift))
    return gradient_curve(model, features, max_distance, shift, advance, output)


def _has_texts(utterances: Sequence[Utterance]) -> bool:
    return all(utterance.text is not None for utterance in utterances)
