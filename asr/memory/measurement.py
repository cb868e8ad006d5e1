"""Measurement: a model and some speech become numbers that say what the model remembers."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from asr.checkpoint import Checkpoint, untrained
from asr.corpus.loader import prefetch, read_utterance
from asr.corpus.statistics import speaker_statistics, stacked_statistics
from asr.corpus.utterance import Utterance
from asr.errors import DataError
from asr.memory.curve import Curve
from asr.memory.cut import CUT_FRAMES, Cut, cut_context
from asr.memory.gradient import Advance, gradient_curve, scaled_recurrence
from asr.model.acoustic import AcousticModel, ModelConfig

SCALES = (1.0, 2.0, 4.0, 8.0)  # factors on the recurrent weights of an untrained network
SCALED_UTTERANCES = 5  # are enough for a lesson
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
        scaled: The same of that network with its recurrent weights multiplied, by the factor.
        cuts: Errors by context, the shortest first, all of it last; empty without references.
    """

    name: str
    config: ModelConfig
    n_weights: int
    trained: Curve
    untrained: Curve
    scaled: tuple[tuple[float, Curve], ...]
    cuts: tuple[Cut, ...]


def measure_memory(
    name: str,
    checkpoint: Checkpoint,
    utterances: Sequence[Utterance],
    *,
    max_seconds: float,
    advance: Advance,
) -> Memory:
    """Measure what a model remembers, on speech that it is given.

    Args:
        name: For the legend.
        checkpoint: The model.
        utterances: What it hears. If all have texts, errors are counted too.
        max_seconds: How far to look, to either side.
        advance: Called `n_steps` times.

    Raises:
        AudioError: A recording cannot be read.
        DataError: There is no utterance of at least one frame.
    """
    features = _features(checkpoint, utterances)
    if not any(len(of_one) for of_one in features):
        raise DataError("expected speech to listen to, got none of at least one frame")
    start = untrained(checkpoint.config, checkpoint.tokenizer).model
    max_distance = max(1, round(max_seconds / checkpoint.frame_shift))

    def curve(model: AcousticModel, heard: Sequence[Tensor]) -> Curve:
        return gradient_curve(model, heard, max_distance, checkpoint.frame_shift, advance)

    return Memory(
        name=name,
        config=checkpoint.config.model,
        n_weights=sum(parameter.numel() for parameter in checkpoint.model.parameters()),
        trained=curve(checkpoint.model, features),
        untrained=curve(start, features),
        scaled=tuple(
            (scale, curve(scaled_recurrence(start, scale), features[:SCALED_UTTERANCES]))
            for scale in SCALES
        ),
        cuts=tuple(cut_context(checkpoint, utterances, features, advance))
        if _has_texts(utterances)
        else (),
    )


def n_steps(utterances: Sequence[Utterance]) -> int:
    """Count the calls of `advance` that measuring a model takes."""
    n_curves = 2 * len(utterances) + len(SCALES) * len(utterances[:SCALED_UTTERANCES])
    return n_curves + _has_texts(utterances) * len(utterances) * (len(CUT_FRAMES) + 1)


def _features(checkpoint: Checkpoint, utterances: Sequence[Utterance]) -> list[Tensor]:
    """Compute (T, F) of each utterance as the model is fed them."""
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

    return list(prefetch(compute, utterances, depth=READ_AHEAD))


def _has_texts(utterances: Sequence[Utterance]) -> bool:
    return all(utterance.text is not None for utterance in utterances)
