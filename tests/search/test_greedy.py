import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from asr.search.emission import Emission
from asr.search.greedy import greedy_search
from asr.search.hypothesis import Hypothesis
from tests.search.conftest import random_log_probs

LABELS = "_ abcdefghijklmnopqrstuvwxyz'"  # of the published emission, the blank first
BEST_PATH = (
    "i have a good deal of will you remember and what i have set my mind upon no doubt "
    "i shall some day achieve"
)


def one(log_probs: NDArray[np.floating]) -> Hypothesis:
    (hypothesis,) = greedy_search(log_probs[None], np.array([len(log_probs)]))
    return hypothesis


def test_repeats_merge_before_blanks_drop() -> None:
    path = [1, 1, 0, 1, 2, 2, 0]
    probs = np.full((7, 3), 0.1)
    probs[range(7), path] = 0.8
    hypothesis = one(np.log(probs))
    assert hypothesis.tokens == (1, 1, 2)
    assert (hypothesis.frames, hypothesis.ends) == ((0, 3, 4), (2, 4, 6))
    assert hypothesis.confidences == pytest.approx((0.8, 0.8, 0.8))
    assert hypothesis.score == pytest.approx(7 * math.log(0.8))


def test_an_empty_utterance_has_no_tokens_and_scores_zero() -> None:
    assert one(np.zeros((0, 3))) == Hypothesis((), (), (), (), 0.0, 0.0)


def test_frames_of_blank_alone_have_no_tokens() -> None:
    assert one(np.log([[0.9, 0.1]] * 4)).tokens == ()


def test_a_vocabulary_of_the_blank_alone_has_no_tokens() -> None:
    assert one(np.zeros((3, 1))) == Hypothesis((), (), (), (), 0.0, 0.0)


def test_one_frame_has_at_most_one_token() -> None:
    assert one(np.log([[0.2, 0.7, 0.1]])).tokens == (1,)


def test_of_equally_probable_tokens_the_lowest_id_is_taken() -> None:
    assert one(np.log([[0.2, 0.4, 0.4]])).tokens == (1,)


@given(st.integers(0, 12), st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_tokens_frames_and_confidences_agree(n_frames: int, n_tokens: int, seed: int) -> None:
    log_probs = random_log_probs(seed, n_frames, n_tokens, scale=3)
    hypothesis = one(log_probs)
    assert len(hypothesis.tokens) == len(hypothesis.frames) == len(hypothesis.confidences)
    assert list(hypothesis.frames) == sorted(set(hypothesis.frames))
    for token, frame in zip(hypothesis.tokens, hypothesis.frames, strict=True):
        assert int(log_probs[frame].argmax()) == token
    assert hypothesis.score == pytest.approx(log_probs.max(axis=1).sum())


@pytest.mark.corpus
def test_the_best_path_of_a_published_emission_is_the_published_one(
    published_emission: Emission,
) -> None:
    hypothesis = one(published_emission)
    assert "".join(LABELS[token] for token in hypothesis.tokens).strip() == BEST_PATH
