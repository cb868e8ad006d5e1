"""Statistics: the mean and deviation of features over a corpus, or over each of its speakers."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

import torch
from torch import Tensor

from asr.corpus.loader import prefetch, read_utterance
from asr.corpus.utterance import Utterance
from asr.errors import AudioError
from asr.features.cmvn import CmvnAccumulator, CmvnStatistics
from asr.features.front_end import FrontEnd

READ_AHEAD = 8  # utterances


def corpus_statistics(front_end: FrontEnd, utterances: Iterable[Utterance]) -> CmvnStatistics:
    """Gather the statistics of all utterances together, (F,) each.

    Raises:
        AudioError: A recording cannot be read.
        DataError: The recordings hold not one frame.
    """
    accumulator = CmvnAccumulator(front_end.n_features)
    raw = partial(_raw_features, front_end)
    for features, lengths in prefetch(raw, utterances, depth=READ_AHEAD):
        accumulator.add(features, lengths)
    return accumulator.statistics()


def speaker_statistics(
    front_end: FrontEnd, utterances: Iterable[Utterance]
) -> dict[str, CmvnStatistics]:
    """Gather the statistics of each speaker, (F,) each, by `speaker_of`.

    Recordings that cannot be read are passed over, since whoever reads them next will say so. A
    speaker without one frame is left out.
    """
    accumulators: dict[str, CmvnAccumulator] = {}

    def try_to_compute(utterance: Utterance) -> tuple[str, tuple[Tensor, Tensor] | None]:
        try:
            return speaker_of(utterance), _raw_features(front_end, utterance)
        except AudioError:
            return speaker_of(utterance), None

    for speaker, features in prefetch(try_to_compute, utterances, depth=READ_AHEAD):
        if features is not None and int(features[1]) > 0:
            new = CmvnAccumulator(front_end.n_features)
            accumulators.setdefault(speaker, new).add(*features)
    return {name: accumulator.statistics() for name, accumulator in accumulators.items()}


def speaker_of(utterance: Utterance) -> str:
    """Name the speaker; an utterance without one is taken as its own speaker's only one."""
    return utterance.speaker if utterance.speaker is not None else f"utterance {utterance.id}"


def stacked_statistics(
    speakers: Mapping[str, CmvnStatistics], utterances: Sequence[Utterance], n_features: int
) -> CmvnStatistics:
    """Set out each utterance's speaker's statistics as a row: (B, F) each, as FrontEnd takes them.

    A speaker without statistics has no frames to normalise either: mean 0, deviation 1.
    """
    neutral = CmvnStatistics(torch.zeros(n_features), torch.ones(n_features))
    rows = [speakers.get(speaker_of(utterance), neutral) for utterance in utterances]
    return CmvnStatistics(
        torch.stack([row.mean for row in rows]), torch.stack([row.std for row in rows])
    )


def _raw_features(front_end: FrontEnd, utterance: Utterance) -> tuple[Tensor, Tensor]:
    waveform = read_utterance(utterance, front_end.config.sample_rate)
    with torch.no_grad():
        return front_end.raw(waveform.unsqueeze(0), torch.tensor([len(waveform)]))
