from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from asr.errors import DataError, ShapeError
from asr.search.alignment import force_align
from asr.search.beam import BeamConfig
from asr.search.beam_search import BeamSearch
from asr.search.emission import split_batch
from asr.search.greedy import greedy_search
from asr.search.language import plain_language
from tests.search.conftest import random_log_probs

LogProbs = NDArray[np.floating]
Lengths = NDArray[np.int64]
Search = Callable[[LogProbs, Lengths], object]


def beam_search(log_probs: LogProbs, lengths: Lengths) -> object:
    language = plain_language(log_probs.shape[2])
    return BeamSearch(BeamConfig(beam_size=4, beam_threshold=20.0, n_best=1), language)(
        log_probs, lengths
    )


def align(log_probs: LogProbs, lengths: Lengths) -> object:
    return force_align(log_probs, lengths, [(1,)] * len(log_probs))


every_search = pytest.mark.parametrize("search", [greedy_search, beam_search, align])


@pytest.fixture
def batch() -> tuple[LogProbs, Lengths]:
    return random_log_probs(1, 2, 6, 5), np.array([6, 4])


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 0.5])
@every_search
def test_a_frame_that_is_not_finite_or_not_normalised_is_refused_by_number(
    search: Search, batch: tuple[LogProbs, Lengths], value: float
) -> None:
    log_probs, lengths = batch
    log_probs[1, 3, 2] = value
    with pytest.raises(DataError, match="frame 3 of utterance 1"):
        search(log_probs, lengths)


@every_search
def test_logits_are_refused(search: Search, batch: tuple[LogProbs, Lengths]) -> None:
    log_probs, lengths = batch
    with pytest.raises(DataError, match="log_softmax"):
        search(log_probs + 0.01, lengths)


@every_search
def test_probabilities_are_refused(search: Search, batch: tuple[LogProbs, Lengths]) -> None:
    log_probs, lengths = batch
    with pytest.raises(DataError, match="log probabilities"):
        search(np.exp(log_probs), lengths)


@every_search
def test_padding_of_any_value_is_neither_read_nor_checked(
    search: Search, batch: tuple[LogProbs, Lengths]
) -> None:
    log_probs, lengths = batch
    expected = search(log_probs, lengths)
    for value in (float("nan"), float("inf"), 1e9):
        log_probs[1, 4:] = value
        assert search(log_probs, lengths) == expected


@every_search
def test_an_utterance_alone_equals_itself_in_a_batch(
    search: Search, batch: tuple[LogProbs, Lengths]
) -> None:
    log_probs, lengths = batch
    together = search(log_probs, lengths)
    assert isinstance(together, list)
    alone = [search(log_probs[b : b + 1, :n], lengths[b : b + 1]) for b, n in enumerate([6, 4])]
    assert [[hypothesis] for hypothesis in together] == alone


@every_search
def test_the_callers_array_is_left_alone(search: Search, batch: tuple[LogProbs, Lengths]) -> None:
    log_probs, lengths = batch
    before = log_probs.copy()
    search(log_probs, lengths)
    np.testing.assert_array_equal(log_probs, before)


def test_an_empty_batch_holds_no_emissions() -> None:
    assert split_batch(np.zeros((0, 4, 3)), np.zeros(0, np.int64)) == []


def test_a_certain_frame_with_impossible_tokens_is_allowed() -> None:
    certain = np.array([[[0.0, -np.inf]]])
    (emission,) = split_batch(certain, np.array([1]))
    assert emission.tolist() == [[0.0, -np.inf]]


def test_the_rounding_of_a_float32_softmax_over_a_large_vocabulary_is_tolerated() -> None:
    log_probs = random_log_probs(2, 1, 3, 5000).astype(np.float32)
    assert len(split_batch(log_probs, np.array([3]))) == 1


@pytest.mark.parametrize(
    ("log_probs", "lengths"),
    [
        pytest.param(np.zeros((4, 1)), np.array([4]), id="no batch"),
        pytest.param(np.zeros((1, 4, 1), np.int64), np.array([4]), id="integers"),
        pytest.param(np.zeros((1, 4, 1)), np.array([5]), id="a length beyond T"),
        pytest.param(np.zeros((1, 4, 1)), np.array([4, 4]), id="two lengths for one"),
        pytest.param(np.zeros((1, 4, 1)), np.array([1.0]), id="a relative length"),
        pytest.param(np.zeros((1, 4, 0)), np.array([4]), id="no vocabulary"),
    ],
)
def test_arrays_of_other_shapes_or_types_are_refused(log_probs: LogProbs, lengths: Lengths) -> None:
    with pytest.raises(ShapeError):
        split_batch(log_probs, lengths)
