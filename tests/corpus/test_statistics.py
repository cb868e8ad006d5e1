from collections.abc import Sequence

import torch

from asr.config import Config
from asr.corpus.feature_cache import FeatureCache
from asr.corpus.statistics import corpus_statistics
from asr.corpus.utterance import Utterance
from asr.features.front_end import FrontEnd


def test_statistics_are_those_of_all_frames_of_the_corpus(
    tiny_corpus: Sequence[Utterance], small_config: Config
) -> None:
    front_end = FrontEnd(small_config.features)
    cache = FeatureCache(front_end, max_bytes=0)
    frames = torch.cat([cache.features(utterance) for utterance in tiny_corpus]).double()

    statistics = corpus_statistics(front_end, tiny_corpus)

    torch.testing.assert_close(statistics.mean, frames.mean(0).float())
    torch.testing.assert_close(statistics.std, frames.std(0, correction=0).float())
