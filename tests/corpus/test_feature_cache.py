import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from asr.augment.rendition import Rendition
from asr.corpus import feature_cache
from asr.corpus.damage import Damage
from asr.corpus.feature_cache import FeatureCache
from asr.corpus.loader import read_utterance
from asr.corpus.utterance import Utterance
from asr.features.front_end import FrontEnd
from tests.conftest import make_config


@pytest.fixture
def front_end() -> FrontEnd:
    return FrontEnd(make_config(features__cmvn="none").features)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Ids of the utterances whose audio was read."""
    ids: list[str] = []

    def read_and_note(utterance: Utterance, sample_rate: int) -> NDArray[np.float32]:
        ids.append(utterance.id)
        return read_utterance(utterance, sample_rate)

    monkeypatch.setattr(feature_cache, "read_utterance", read_and_note)
    return ids


def test_a_rendition_is_computed_once(
    tiny_corpus: Sequence[Utterance], front_end: FrontEnd, reads: list[str]
) -> None:
    cache, slower = FeatureCache(front_end, 10**9), Rendition(speed=0.9)

    first, again = (cache.features(tiny_corpus[0], slower) for _ in range(2))
    other = cache.features(tiny_corpus[0])

    assert torch.equal(first, again)
    assert len(other) < len(first)
    assert len(reads) == 2


def test_what_will_not_return_is_not_kept(
    tiny_corpus: Sequence[Utterance], front_end: FrontEnd, reads: list[str]
) -> None:
    cache, once = FeatureCache(front_end, 10**9), Rendition(level=1)

    first, again = (cache.features(tiny_corpus[0], once) for _ in range(2))

    assert torch.equal(first, again)
    assert len(reads) == 2


def test_no_speech_takes_the_place_of_a_recording_that_is_not_even_read(
    tiny_corpus: Sequence[Utterance], front_end: FrontEnd, reads: list[str]
) -> None:
    cache = FeatureCache(front_end, 10**9)

    one, other = (cache.features(u, Rendition(no_speech=7)) for u in tiny_corpus[:2])

    assert torch.equal(one, other)
    assert reads == []


def test_what_there_is_no_room_for_is_computed_again(
    tiny_corpus: Sequence[Utterance], front_end: FrontEnd, reads: list[str]
) -> None:
    one, another = tiny_corpus[:2]
    cache = FeatureCache(front_end, FeatureCache(front_end, 0).features(one).nbytes)
    reads.clear()

    for utterance in (one, another, one, another):
        cache.features(utterance)

    assert reads == [one.id, another.id, another.id]


def test_equal_ids_of_two_manifests_do_not_share_features(
    tiny_corpus: Sequence[Utterance], front_end: FrontEnd
) -> None:
    train, other = tiny_corpus[:2]
    dev = dataclasses.replace(other, id=train.id)
    cache = FeatureCache(front_end, 10**9)

    cache.features(train)

    assert torch.equal(cache.features(dev), FeatureCache(front_end, 0).features(other))


@pytest.mark.parametrize("changes", [{"offset": 0.1}, {"duration": 0.2}, {"channel": 0}])
def test_another_stretch_or_channel_of_a_recording_has_features_of_its_own(
    tiny_corpus: Sequence[Utterance],
    front_end: FrontEnd,
    reads: list[str],
    changes: dict[str, float],
) -> None:
    whole = dataclasses.replace(tiny_corpus[0], duration=None)
    part = dataclasses.replace(whole, **changes)  # type: ignore[arg-type]
    cache = FeatureCache(front_end, 10**9)

    cache.features(whole)
    cache.features(part)

    assert len(reads) == 2


def test_a_damaged_follower_is_the_one_that_is_noted(
    tiny_corpus: Sequence[Utterance], front_end: FrontEnd, tmp_path: Path
) -> None:
    broken = Utterance("broken", tmp_path / "absent.wav", duration=1.0)
    cache = FeatureCache(front_end, 0, Damage(1))
    joined = Rendition(joined=1)

    assert not len(cache.features(tiny_corpus[0], joined, following=broken))
    assert not len(cache.features(tiny_corpus[1], joined, following=broken))  # noted once
    assert len(cache.features(tiny_corpus[0], joined, following=tiny_corpus[1]))
