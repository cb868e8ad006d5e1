"""The prior of the tokens, taken out of an emission before it is searched."""

import math

import pytest
import torch
from torch import Tensor

from asr.errors import ConfigError, ShapeError
from asr.search.beam import BeamConfig
from asr.search.beam_search import BeamSearch
from asr.search.hypothesis import Hypothesis
from asr.search.language import plain_language

EMISSION = torch.tensor([[0.6, 0.3, 0.1], [0.5, 0.1, 0.4], [0.7, 0.2, 0.1]]).double().log()
PRIOR = torch.tensor([0.7, 0.1, 0.2])


def n_best(emission: Tensor, prior_weight: float, prior: Tensor | None) -> list[Hypothesis]:
    config = BeamConfig(1000, math.inf, 1000, prior_weight=prior_weight)
    search = BeamSearch(config, plain_language(3), prior=prior)
    (hypotheses,) = search(emission[None], torch.tensor([len(emission)]))
    return hypotheses


@pytest.mark.parametrize("weight", [0.5, 1.0])
def test_what_is_searched_is_the_emission_over_the_prior_normalised_again(weight: float) -> None:
    by_hand = EMISSION.exp() / PRIOR.double() ** weight
    by_hand = (by_hand / by_hand.sum(dim=1, keepdim=True)).log()
    found, expected = n_best(EMISSION, weight, PRIOR), n_best(by_hand, 0.0, None)
    assert [h.tokens for h in found] == [h.tokens for h in expected]
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.score == pytest.approx(theirs.score, abs=1e-6)
        assert ours.confidences == pytest.approx(theirs.confidences, abs=1e-6)


def test_the_token_that_is_said_most_has_to_be_heard_more_clearly() -> None:
    quiet = EMISSION[:1]
    assert n_best(quiet, 0.0, None)[0].tokens == ()
    assert n_best(quiet, 1.0, PRIOR)[0].tokens == (1,)


def test_equal_shares_change_no_ranking() -> None:
    alike = torch.full((3,), 1 / 3)
    expected = [h.tokens for h in n_best(EMISSION, 0.0, None)]
    assert [h.tokens for h in n_best(EMISSION, 1.0, alike)] == expected


def test_what_cannot_be_said_still_cannot() -> None:
    certain = torch.tensor([[0.0, 1.0, 0.0]]).log()
    (only,) = [h for h in n_best(certain, 1.0, PRIOR) if h.score > -math.inf]
    assert only.tokens == (1,)
    assert only.score == pytest.approx(0.0)


def test_a_weight_without_a_prior_says_what_to_do() -> None:
    with pytest.raises(ConfigError, match="does not know its tokens' prior: train it again"):
        n_best(EMISSION, 0.5, None)


def test_a_prior_of_other_tokens_is_refused() -> None:
    with pytest.raises(ShapeError, match="prior of 3 tokens, got shape \\(2,\\)"):
        n_best(EMISSION, 0.5, torch.tensor([0.5, 0.5]))
