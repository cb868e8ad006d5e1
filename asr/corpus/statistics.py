"""Statistics: mean and standard deviation of features over a corpus, for global CMVN."""

from collections.abc import Iterable

import torch

from asr.corpus.feature_cache import FeatureCache
from asr.corpus.loader import prefetch
from asr.corpus.utterance import Utterance
from asr.features.cmvn import CmvnAccumulator, CmvnStatistics
from asr.features.front_end import FrontEnd

READ_AHEAD = 8  # utterances


def corpus_statistics(front_end: FrontEnd, utterances: Iterable[Utterance]) -> CmvnStatistics:
    """Gather the statistics of all utterances together, (F,) each.

    Raises:
        AudioError: A recording cannot be read.
        DataError: The recordings contain no frame at all.
    """
    accumulator = CmvnAccumulator(front_end.n_features)
    features_of = FeatureCache(front_end, max_bytes=0).features
    for features in prefetch(features_of, utterances, depth=READ_AHEAD):
        accumulator.add(features.unsqueeze(0), torch.tensor([len(features)]))
    return accumulator.statistics()
