"""The prior of the tokens, taken out of an emission before it is searched."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from asr.errors import ConfigError, ShapeError
from asr.search.beam import BeamConfig
from asr.search.beam_search import BeamSearch
from asr.search.hypothesis import Hypothesis
from asr.search.language import plain_language

EMISSION = np.log([[0.6, 0.3, 0.1], [0.5, 0.1, 0.4], [0.7, 0.2, 0.1]])
PRIOR = np.array([0.7, 0.1, 0.2], np.float32)


def n_best(
    emission: NDArray[np.float64], prior_weight: float, prior: NDArray[np.floating] | None
) -> list[Hypothesis]:
    config = BeamConfig(
        beam_size=1000, beam_threshold=math.inf, n_best=1000, prior_weight=prior_weight
    )
    search = BeamSearch(config, plain_language(3), prior=prior)
    (hypotheses,) = search(emission[None], np.array([len(emission)]))
    return hypotheses


@pytest.mark.parametrize("weight", [0.5, 1.0])
def test_the_emission_is_divided_by_the_prior_and_normalised_again(weight: float) -> None:
    by_hand = np.exp(EMISSION) / PRIOR.astype(np.float64) ** weight
    by_hand = np.log(by_hand / by_hand.sum(axis=1, keepdims=True))
    found, expected = n_best(EMISSION, weight, PRIOR), n_best(by_hand, 0.0, None)
    assert [h.tokens for h in found] == [h.tokens for h in expected]
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.score == pytest.approx(theirs.score, abs=1e-6)
        assert ours.confidences == pytest.approx(theirs.confidences, abs=1e-6)


def test_the_most_frequent_token_needs_a_higher_probability() -> None:
    quiet = EMISSION[:1]
    assert n_best(quiet, 0.0, None)[0].tokens == ()
    assert n_best(quiet, 1.0, PRIOR)[0].tokens == (1,)


def test_equal_shares_change_no_ranking() -> None:
    alike = np.full(3, 1 / 3)
    expected = [h.tokens for h in n_best(EMISSION, 0.0, None)]
    assert [h.tokens for h in n_best(EMISSION, 1.0, alike)] == expected


def test_impossible_tokens_stay_impossible() -> None:
    certain = np.array([[-np.inf, 0.0, -np.inf]])
    (only,) = [h for h in n_best(certain, 1.0, PRIOR) if h.score > -math.inf]
    assert only.tokens == (1,)
    assert only.score == pytest.approx(0.0)


def test_a_weight_without_a_prior_says_what_to_do() -> None:
    with pytest.raises(ConfigError, match="does not know its tokens' prior: train it again"):
        n_best(EMISSION, 0.5, None)


def test_a_prior_of_other_tokens_is_refused() -> None:
    with pytest.raises(ShapeError, match="prior of 3 tokens, got shape \\(2,\\)"):
        n_best(EMISSION, 0.5, np.array([0.5, 0.5]))
