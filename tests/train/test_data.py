from collections.abc import Callable, Sequence

import pytest
import torch

from asr.config import Config
from asr.corpus.feature_cache import FeatureCache
from asr.corpus.utterance import Utterance
from asr.errors import DataError
from asr.features.front_end import FrontEnd
from asr.train.data import TrainingData


def make_data(
    utterances: Sequence[Utterance], config: Config, max_feature_bytes: int = 10**9
) -> TrainingData:
    tokens = {utterance.id: [1, 2] for utterance in utterances}
    cache = FeatureCache(FrontEnd(config.features), max_feature_bytes)
    return TrainingData(utterances, {"text": tokens}, cache, config.batching, config.augment)


def test_an_epoch_resumed_in_the_middle_gives_the_same_batches(
    tiny_corpus: Sequence[Utterance], small_config: Config
) -> None:
    whole = list(make_data(tiny_corpus, small_config).batches(1))

    rest = list(make_data(tiny_corpus, small_config).batches(1, start=1))

    assert len(whole) > 1
    for expected, got in zip(whole[1:], rest, strict=True):
        assert got.ids == expected.ids
        assert torch.equal(got.features, expected.features)


def test_every_utterance_comes_once_an_epoch_in_an_order_of_its_own(
    tiny_corpus: Sequence[Utterance], small_config: Config
) -> None:
    data = make_data(tiny_corpus, small_config)

    epochs = [[name for batch in data.batches(e) for name in batch.ids] for e in (1, 2)]

    assert sorted(epochs[0]) == sorted(epochs[1]) == sorted(u.id for u in tiny_corpus)
    assert epochs[0] != epochs[1]


def test_an_utterance_without_a_duration_is_refused_by_its_id(
    tiny_corpus: Sequence[Utterance], small_config: Config
) -> None:
    unknown = Utterance("no-duration", tiny_corpus[0].audio_filepath)

    with pytest.raises(DataError, match="no-duration"):
        make_data([*tiny_corpus, unknown], small_config)


@pytest.mark.parametrize("key", ["codec_share", "noise_share", "reverb_share"])
def test_codecs_noise_and_rooms_change_the_sound_and_not_its_length(
    tiny_corpus: Sequence[Utterance], configured: Callable[..., Config], key: str
) -> None:
    batches = []
    for share in (0.0, 1.0):
        config = configured(**{f"augment__{key}": share})
        batches.append(next(make_data(tiny_corpus, config).batches(2)))

    spared, sent = batches
    assert sent.ids == spared.ids
    assert torch.equal(sent.lengths, spared.lengths)
    assert not torch.allclose(sent.features, spared.features)


@pytest.mark.parametrize("max_feature_bytes", [0, 20_000])
def test_a_small_cache_of_features_changes_no_bit(
    tiny_corpus: Sequence[Utterance], small_config: Config, max_feature_bytes: int
) -> None:
    roomy, tight = (
        make_data(tiny_corpus, small_config, room) for room in (10**9, max_feature_bytes)
    )

    for epoch in (0, 1):
        for one, other in zip(roomy.batches(epoch), tight.batches(epoch), strict=True):
            assert torch.equal(one.features, other.features)


def test_the_first_epoch_of_a_ramp_has_no_masks(
    tiny_corpus: Sequence[Utterance], configured: Callable[..., Config]
) -> None:
    """An untrained model is spared: `ramp_epochs` reaches the masks, and the dropout's share."""
    ramp = configured(augment__speeds=(1.0,), augment__codec_share=0.0)
    unmasked, masked = make_data(tiny_corpus, ramp), make_data(tiny_corpus, ramp)
    unmasked.augment = None

    for epoch, is_spared in ((0, True), (2, False)):
        pairs = list(zip(unmasked.batches(epoch), masked.batches(epoch), strict=True))
        equal = [torch.equal(plain.features, other.features) for plain, other in pairs]
        assert all(equal) if is_spared else not any(equal)
        assert {other.strength for _, other in pairs} == {0.0 if is_spared else 1.0}
