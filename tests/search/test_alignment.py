import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from asr.errors import DataError, ShapeError
from asr.lengths import n_frames_needed
from asr.search.alignment import force_align
from asr.search.greedy import greedy_search
from asr.search.hypothesis import Hypothesis
from tests.search.conftest import every_path, random_log_probs


def one(log_probs: NDArray[np.float64], tokens: Sequence[int]) -> Hypothesis:
    (hypothesis,) = force_align(log_probs[None], np.array([len(log_probs)]), [tokens])
    return hypothesis


@given(st.integers(0, 5), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_the_alignment_is_the_best_of_all_paths_that_spell_the_tokens(
    n_frames: int, n_tokens: int, seed: int
) -> None:
    emission = random_log_probs(seed, n_frames, n_tokens, scale=3)
    for tokens, paths in every_path(emission).items():
        best = max(paths, key=lambda path: paths[path])
        hypothesis = one(emission, tokens)
        assert hypothesis.tokens == tokens
        assert hypothesis.score == pytest.approx(paths[best], abs=1e-9)
        starts = [t for t, token in enumerate(best) if t == 0 or best[t - 1] != token]
        assert hypothesis.frames == tuple(t for t in starts if best[t] != 0)


@given(st.integers(0, 20), st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_the_tokens_of_the_best_path_align_to_the_best_path(
    n_frames: int, n_tokens: int, seed: int
) -> None:
    emission = random_log_probs(seed, n_frames, n_tokens, scale=3)
    (greedy,) = greedy_search(emission[None], np.array([n_frames]))
    aligned = one(emission, greedy.tokens)
    assert (aligned.tokens, aligned.frames) == (greedy.tokens, greedy.frames)
    assert aligned.confidences == greedy.confidences
    assert aligned.score == pytest.approx(greedy.score)


@pytest.mark.parametrize(
    ("tokens", "n_frames"), [((), 0), ((1,), 1), ((1, 2), 2), ((1, 1), 3), ((1, 1, 1, 2), 6)]
)
def test_the_shortest_alignment_has_a_frame_a_token_and_a_blank_between_repeats(
    tokens: tuple[int, ...], n_frames: int
) -> None:
    assert n_frames_needed(tokens) == n_frames
    assert one(random_log_probs(0, n_frames, 3), tokens).tokens == tokens
    if n_frames:
        with pytest.raises(DataError, match=f"need at least {n_frames}"):
            one(random_log_probs(0, n_frames - 1, 3), tokens)


def test_no_tokens_align_to_blanks() -> None:
    hypothesis = one(np.log([[0.8, 0.2], [0.5, 0.5]]), ())
    assert hypothesis.tokens == ()
    assert hypothesis.score == pytest.approx(math.log(0.4))


def test_an_empty_utterance_without_tokens_scores_zero() -> None:
    assert one(np.zeros((0, 2)), ()) == Hypothesis((), (), (), (), 0.0, 0.0)


def test_of_equally_probable_alignments_the_earliest_is_taken() -> None:
    assert one(np.log(np.full((5, 3), 1 / 3)), (1, 2)).frames == (0, 1)
    assert one(np.log([[0.5, 0.3, 0.2]] * 2), (1,)).frames == (0,)  # 1 0, not 0 1


def test_tokens_of_probability_zero_are_refused() -> None:
    log_probs = np.array([[0.0, -np.inf], [0.0, -np.inf]])
    with pytest.raises(DataError, match=r"utterance 0 .* probability zero"):
        one(log_probs, (1,))


@pytest.mark.parametrize("token", [0, 3, -1])
def test_the_blank_and_unknown_tokens_are_refused(token: int) -> None:
    with pytest.raises(ShapeError, match=f"got {token}"):
        one(random_log_probs(0, 4, 3), (1, token))


def test_a_sequence_of_tokens_is_needed_for_each_utterance() -> None:
    log_probs = random_log_probs(0, 1, 4, 3)
    with pytest.raises(ShapeError, match="expected 1 token sequences, got 2"):
        force_align(log_probs, np.array([4]), [(1,), (2,)])
