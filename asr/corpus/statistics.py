"""Statistics: the mean and deviation of features over a corpus, for global CMVN."""

from collections.abc import Iterable
from functools import partial

import torch
from torch import Tensor

from asr.corpus.loader import prefetch, read_utterance
from asr.corpus.utterance import Utterance
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


def _raw_features(front_end: FrontEnd, utterance: Utterance) -> tuple[Tensor, Tensor]:
    waveform = torch.from_numpy(read_utterance(utterance, front_end.config.sample_rate))
    with torch.no_grad():
        return front_end.raw(waveform.unsqueeze(0), torch.tensor([len(waveform)]))
