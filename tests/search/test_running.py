"""A recording in pieces: nothing may be lost, doubled or cut, whatever the pieces."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from asr.search.beam import BeamConfig
from asr.search.beam_search import BeamSearch
from asr.search.emission import Emission
from asr.search.fusion import Fusion
from asr.search.greedy import search_greedily
from asr.search.hypothesis import Hypothesis
from asr.search.running import PATIENCE, RunningGreedySearch, RunningSearch
from asr.search.running_beam import RunningBeamSearch
from tests.search.conftest import CHARACTERS, pieces_of, random_log_probs


def joined(search: RunningSearch, pieces: Sequence[Emission]) -> Hypothesis:
    """All that is settled, and the best of the rest, with the last score."""
    settled = [hypothesis for piece in pieces for hypothesis in search.read(piece)]
    parts = [*settled, search.finish()[0]]
    return Hypothesis(
        tokens=tuple(token for part in parts for token in part.tokens),
        frames=tuple(frame for part in parts for frame in part.frames),
        ends=tuple(end for part in parts for end in part.ends),
        confidences=tuple(one for part in parts for one in part.confidences),
        score=parts[-1].score,
        acoustic_score=0.0,
    )


def words_of(search: RunningSearch, pieces: Sequence[Emission]) -> list[int | None]:
    settled = [hypothesis for piece in pieces for hypothesis in search.read(piece)]
    return [word.word for part in (*settled, search.finish()[0]) for word in part.words]


sizes = st.lists(st.integers(0, 9), min_size=1, max_size=30)


@given(st.integers(0, 200), sizes)
def test_greedy_search_in_pieces_is_that_of_the_whole(seed: int, sizes: list[int]) -> None:
    emission = random_log_probs(seed, 60, len(CHARACTERS), scale=2.0)
    begins_word = np.array([token.startswith("▁") for token in CHARACTERS])
    found = joined(RunningGreedySearch(begins_word), pieces_of(emission, sizes))
    whole = search_greedily(emission)
    assert (found.tokens, found.frames) == (whole.tokens, whole.frames)
    assert found.confidences == whole.confidences


def test_greedy_search_keeps_no_frames_of_an_hour_of_silence() -> None:
    silence = np.log(np.tile([0.96, 0.01, 0.01, 0.01, 0.01], (100, 1)))
    search = RunningGreedySearch(np.array([token.startswith("▁") for token in CHARACTERS]))
    for _ in range(900):
        search.read(silence)
    assert len(search._emission) <= PATIENCE + len(silence)


CONFIG = BeamConfig(beam_size=12, beam_threshold=9.0, n_best=1, lm_weight=0.8, word_score=0.3)


# in these, a prefix becomes the best one that needs more frames than the best one before left it
@pytest.mark.parametrize("kind", ["characters", "phones"])
@example(seed=21, sizes=[3, 9, 9, 3])
@example(seed=172, sizes=[1] * 80)
@example(seed=247, sizes=[1] * 80)
@given(seed=st.integers(0, 200), sizes=sizes)
def test_beam_search_in_pieces_finds_the_words_of_the_whole(
    fusions: dict[str, Fusion], kind: str, seed: int, sizes: list[int]
) -> None:
    language = fusions[kind].language
    emission = random_log_probs(seed, 80, len(language.begins_word), scale=3.0)
    search = BeamSearch(CONFIG, language)
    whole, *_ = search.search(emission)
    found = joined(RunningBeamSearch(search), pieces_of(emission, sizes))
    assert found.tokens == whole.tokens
    assert found.score == pytest.approx(whole.score, rel=1e-9)
    assert list(found.frames) == sorted(set(found.frames))
    words = words_of(RunningBeamSearch(search), pieces_of(emission, sizes))
    assert words == [word.word for word in whole.words]


@pytest.mark.parametrize("kind", ["characters", "phones"])
def test_memory_is_bounded(fusions: dict[str, Fusion], kind: str) -> None:
    """By what is settled, and where nothing is: an hour of blanks, of doubt, of one long word."""
    language = fusions[kind].language
    n_tokens = len(language.begins_word)
    blanks = np.full((100, n_tokens), -9.0)
    blanks[:, 0] = 0.0
    blanks -= np.logaddexp.reduce(blanks, axis=1, keepdims=True)
    doubt = np.full((100, n_tokens), -np.log(n_tokens))
    letters = random_log_probs(1, 100, n_tokens, scale=8.0)
    letters[:, :2] -= 30.0  # no blank, no boundary
    letters -= np.logaddexp.reduce(letters, axis=1, keepdims=True)
    search = BeamSearch(CONFIG, language)
    for hour in (blanks, doubt, letters):
        running = RunningBeamSearch(search)
        for _ in range(900):
            running.read(hour)
            assert len(running.unsettled) <= PATIENCE + len(hour)
        assert len(running.finish()[0].tokens) <= len(running.unsettled)
