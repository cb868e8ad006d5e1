"""A search for a single hypothesis keeps one prefix of those that go on alike."""

import math

import numpy as np
import pytest

from asr.search.beam import BeamConfig
from asr.search.beam_search import BeamSearch
from asr.search.fusion import Fusion
from tests.search.conftest import random_log_probs

N_CASES = 60
FUTURE = ["token", "node", "lm_state", "hotword_state"]  # all that later factors depend on


def search_for(n_best: int, fusion: Fusion) -> BeamSearch:
    config = BeamConfig(
        beam_size=3000, beam_threshold=60.0, n_best=n_best, lm_weight=0.8, word_score=0.3
    )
    return BeamSearch(config, fusion.language)


def n_alike(n_best: int, fusion: Fusion) -> int:
    """Count the prefixes in a beam that go on like another one."""
    search = search_for(n_best, fusion)
    log_probs = random_log_probs(0, 12, len(fusion.language.begins_word))
    state = search.advance(log_probs, search.start())
    return len(state.active) - len(np.unique(state.tree[state.active.prefix][FUTURE]))


@pytest.mark.parametrize("kind", ["characters", "phones"])
def test_no_two_prefixes_go_on_alike_if_one_hypothesis_is_wanted(
    kind: str, fusions: dict[str, Fusion]
) -> None:
    assert n_alike(1, fusions[kind]) == 0
    assert n_alike(2, fusions[kind]) > 0


@pytest.mark.parametrize("kind", ["characters", "phones"])
def test_the_best_of_a_complete_search_is_hardly_ever_missed(
    kind: str, fusions: dict[str, Fusion]
) -> None:
    fusion, n_same = fusions[kind], 0
    for seed in range(N_CASES):
        log_probs = random_log_probs(seed, 12, len(fusion.language.begins_word), scale=2.0)
        (one,), (best, _) = (search_for(n, fusion).search(log_probs) for n in (1, 2))
        assert best.score - 1.0 < one.score < best.score + 1e-9
        n_same += one.tokens == best.tokens
    assert n_same >= math.floor(0.9 * N_CASES)
