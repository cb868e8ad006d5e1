from collections.abc import Sequence

import torch

from asr.corpus.feature_cache import FeatureCache
from asr.corpus.statistics import corpus_statistics
from asr.corpus.utterance import Utterance
from asr.features.config import FeatureConfig
from asr.features.front_end import FrontEnd


def test_statistics_are_those_of_all_frames_of_the_corpus(tiny_corpus: Sequence[Utterance]) -> None:
    config = FeatureConfig(
        sample_rate=16000,
        frame_length=0.025,
        frame_shift=0.01,
        n_mels=20,
        low_frequency=20.0,
        high_frequency=7600.0,
        min_log_energy=6.0,
        n_ceps=0,
        delta_order=0,
        cmvn="global",
    )
    front_end = FrontEnd(config)
    cache = FeatureCache(front_end, max_bytes=0)
    frames = torch.cat([cache.features(utterance) for utterance in tiny_corpus]).double()

    statistics = corpus_statistics(front_end, tiny_corpus)

    torch.testing.assert_close(statistics.mean, frames.mean(0).float())
    torch.testing.assert_close(statistics.std, frames.std(0, correction=0).float())
