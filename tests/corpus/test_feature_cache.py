from collections.abc import Sequence

import pytest
import torch

from asr.corpus import feature_memory
from asr.corpus.batching import Rendition
from asr.corpus.feature_cache import FeatureMemory
from asr.corpus.loader import read_rendition
from asr.corpus.utterance import Utterance
from asr.features.config import FeatureConfig
from asr.features.front_end import FrontEnd


@pytest.fixture
def front_end() -> FrontEnd:
    return FrontEnd(FeatureConfig(16000, 0.025, 0.01, 20, 20.0, 7600.0, -15.0, 0, 0, "none"))


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Ids of the utterances whose audio was read."""
    ids: list[str] = []

    def read_and_note(utterance: Utterance, sample_rate: int, rendition: Rendition) -> torch.Tensor:
        ids.append(utterance.id)
        return read_rendition(utterance, sample_rate, rendition)

    monkeypatch.setattr(feature_memory, "read_rendition", read_and_note)
    return ids


def test_a_rendition_is_computed_once(
    tiny_corpus: Sequence[Utterance], front_end: FrontEnd, reads: list[str]
) -> None:
    memory, slower = FeatureMemory(front_end, 10**9), Rendition(speed=0.9)

    first, again = (memory.features(tiny_corpus[0], slower) for _ in range(2))
    other = memory.features(tiny_corpus[0])

    assert torch.equal(first, again)
    assert len(other) < len(first)
    assert len(reads) == 2


def test_what_there_is_no_room_for_is_computed_again(
    tiny_corpus: Sequence[Utterance], front_end: FrontEnd, reads: list[str]
) -> None:
    one, another = tiny_corpus[:2]
    memory = FeatureMemory(front_end, FeatureMemory(front_end, 0).features(one).nbytes)
    reads.clear()

    for utterance in (one, another, one, another):
        memory.features(utterance)

    assert reads == [one.id, another.id, another.id]
