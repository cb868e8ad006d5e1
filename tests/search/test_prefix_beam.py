import math
import time
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from asr.errors import ConfigError
from asr.search import beam_search
from asr.search.alignment import force_align
from asr.search.beam import BeamConfig
from asr.search.beam_search import BeamSearch
from asr.search.emission import Emission
from asr.search.greedy import greedy_search, search_greedily
from asr.search.hypothesis import Hypothesis
from asr.search.language import plain_language
from asr.search.prefix_beam import advance
from asr.search.state import BeamState, Graph
from tests.search.conftest import every_path, random_log_probs

LogProbs = NDArray[np.float64]

EVERYTHING = BeamConfig(beam_size=2000, beam_threshold=math.inf, n_best=2000)


def plain(log_probs: LogProbs, config: BeamConfig) -> BeamSearch:
    return BeamSearch(config, plain_language(log_probs.shape[-1]))


def n_best(log_probs: LogProbs, config: BeamConfig = EVERYTHING) -> list[Hypothesis]:
    lengths = np.array([len(log_probs)])
    (hypotheses,) = plain(log_probs, config)(log_probs[None], lengths)
    return hypotheses


@st.composite
def emissions(draw: st.DrawFn, max_frames: int, max_tokens: int) -> LogProbs:
    """Normalised frames of a few steps of probability, so that ties and zeros are common."""
    n_frames, n_tokens = draw(st.integers(0, max_frames)), draw(st.integers(1, max_tokens))
    weight = st.sampled_from([0.0, 0.0, 1.0, 1.0, 2.0, 5.0, 100.0])
    frame = st.lists(weight, min_size=n_tokens, max_size=n_tokens).filter(any)
    frames = draw(st.lists(frame, min_size=n_frames, max_size=n_frames))
    weights = np.array(frames).reshape(n_frames, n_tokens)
    with np.errstate(divide="ignore"):
        log_probs: LogProbs = np.log(weights / weights.sum(axis=1, keepdims=True))
    return log_probs


@given(emissions(max_frames=5, max_tokens=4))
def test_a_beam_wide_enough_finds_every_sequence_with_its_exact_probability(
    emission: LogProbs,
) -> None:
    expected = {
        tokens: math.fsum(math.exp(score) for score in paths.values())
        for tokens, paths in every_path(emission).items()
    }
    found = {h.tokens: math.exp(h.score) for h in n_best(emission)}
    assert found == pytest.approx(expected, abs=1e-12)


@given(emissions(max_frames=5, max_tokens=4), st.integers(1, 4))
def test_a_narrow_beam_never_claims_more_than_the_exact_probability(
    emission: LogProbs, beam_size: int
) -> None:
    exact = every_path(emission)
    for hypothesis in n_best(
        emission, BeamConfig(beam_size=beam_size, beam_threshold=math.inf, n_best=beam_size)
    ):
        probability = math.fsum(math.exp(s) for s in exact[hypothesis.tokens].values())
        assert math.exp(hypothesis.score) <= probability + 1e-12


@given(emissions(max_frames=14, max_tokens=4), st.integers(1, 5))
def test_hypotheses_are_distinct_ordered_and_within_the_utterance(
    emission: LogProbs, beam_size: int
) -> None:
    hypotheses = n_best(
        emission, BeamConfig(beam_size=beam_size, beam_threshold=15.0, n_best=beam_size)
    )
    assert 1 <= len(hypotheses) <= beam_size
    assert len({h.tokens for h in hypotheses}) == len(hypotheses)
    scores = [h.score for h in hypotheses]
    assert scores == sorted(scores, reverse=True)
    for h in hypotheses:
        assert len(h.tokens) == len(h.frames) == len(h.confidences)
        assert list(h.frames) == sorted(set(h.frames))
        assert set(h.frames) <= set(range(len(emission)))
        assert all(0.0 < confidence <= 1.0 for confidence in h.confidences)


@given(emissions(max_frames=8, max_tokens=4))
def test_the_best_sequence_is_at_least_as_probable_as_the_best_path(emission: LogProbs) -> None:
    (greedy,) = greedy_search(emission[None], np.array([len(emission)]))
    assert n_best(emission)[0].score >= greedy.score - 1e-12


def test_paths_that_spell_the_same_outweigh_the_best_path() -> None:
    log_probs = np.log([[0.6, 0.4], [0.6, 0.4]])
    best, second = n_best(log_probs)
    assert (best.tokens, second.tokens) == ((1,), ())
    assert math.exp(best.score) == pytest.approx(0.4 * 0.4 + 2 * 0.4 * 0.6)
    assert math.exp(second.score) == pytest.approx(0.36)


def test_a_pause_costs_no_more_than_one_frame_and_changes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spoken = random_log_probs(5, 12, 4, scale=2)
    pause = np.log(np.tile([0.9997, 0.0001, 0.0001, 0.0001], (2000, 1)))
    log_probs = np.concatenate([spoken[:6], pause, spoken[6:]])
    search = plain(log_probs, BeamConfig(beam_size=9, beam_threshold=12.0, n_best=9))

    expected = n_best(np.concatenate([spoken[:6], pause[:1], spoken[6:]]), search.config)
    steps: list[int] = []

    def count_steps(probs: LogProbs, state: BeamState, graph: Graph) -> bool:
        steps.append(len(probs))
        return advance(probs, state, graph)

    monkeypatch.setattr(beam_search, "advance", count_steps)
    found = search.search(log_probs)

    assert steps == [13]
    assert [h.tokens for h in found] == [h.tokens for h in expected]
    lost = 1999 * math.log(0.9997)
    assert [h.score for h in found] == pytest.approx([h.score + lost for h in expected])
    assert all(not 6 < frame < 2000 for h in found for frame in h.frames)


def test_a_repeated_token_needs_a_blank_between() -> None:
    log_probs = np.log([[0.1, 0.9], [0.3, 0.7], [0.2, 0.8]])
    found = {h.tokens: math.exp(h.score) for h in n_best(log_probs)}
    assert found[1, 1] == pytest.approx(0.9 * 0.3 * 0.8)
    assert (1, 1, 1) not in found


def test_a_prefix_that_leaves_the_beam_and_returns_is_the_same_prefix() -> None:
    # (2, 1) drops out while (2, 1, 2) stays; then (2) brings (2, 1) back, which becomes (2, 1, 2).
    weights = np.array([[1, 20, 40], [2, 10, 10], [5, 5, 40], [2, 40, 40], [5, 5, 20]])
    log_probs = np.log(weights / weights.sum(axis=1, keepdims=True))
    hypotheses = n_best(log_probs, BeamConfig(beam_size=3, beam_threshold=math.inf, n_best=3))
    assert len({h.tokens for h in hypotheses}) == 3


def test_times_and_confidences_are_those_of_the_best_alignment() -> None:
    log_probs = random_log_probs(4, 20, 5, scale=2)
    for hypothesis in n_best(log_probs, BeamConfig(beam_size=6, beam_threshold=math.inf, n_best=6)):
        (aligned,) = force_align(log_probs[None], np.array([20]), [hypothesis.tokens])
        assert (hypothesis.frames, hypothesis.confidences) == (aligned.frames, aligned.confidences)
        assert hypothesis.score >= aligned.score


def test_an_empty_utterance_has_no_tokens_and_scores_zero() -> None:
    assert n_best(np.zeros((0, 4))) == [Hypothesis((), (), (), (), 0.0, 0.0)]


def test_a_vocabulary_of_the_blank_alone_has_no_tokens() -> None:
    assert n_best(np.zeros((3, 1))) == [Hypothesis((), (), (), (), 0.0, 0.0)]


def test_frames_of_certain_blank_have_no_tokens() -> None:
    assert n_best(np.array([[0.0, -math.inf]] * 3)) == [Hypothesis((), (), (), (), 0.0, 0.0)]


def test_one_frame_ranks_the_tokens() -> None:
    hypotheses = n_best(np.log([[0.2, 0.1, 0.7]]))
    assert [h.tokens for h in hypotheses] == [(2,), (), (1,)]


def test_of_equally_probable_sequences_the_lowest_id_comes_first() -> None:
    likely, unlikely = range(1, 101, 2), range(2, 101, 2)
    weights = np.ones(101)
    weights[likely] = 2.0
    log_probs = np.log(weights / weights.sum())[None]
    hypotheses = n_best(log_probs, BeamConfig(beam_size=80, beam_threshold=math.inf, n_best=80))
    expected = [*((token,) for token in likely), (), *((token,) for token in unlikely)]
    assert [h.tokens for h in hypotheses] == expected[:80]


def test_prefixes_below_the_threshold_are_dropped() -> None:
    log_probs = np.log([[0.01, 0.9, 0.09]])
    within = [
        h.tokens
        for h in n_best(log_probs, BeamConfig(beam_size=10, beam_threshold=math.log(20), n_best=10))
    ]
    assert within == [(1,), (2,)]


def test_no_more_hypotheses_come_back_than_asked_for() -> None:
    log_probs = np.full((6, 5), -math.log(5))
    assert (
        n_best(log_probs, BeamConfig(beam_size=10, beam_threshold=math.inf, n_best=3))
        == n_best(log_probs, BeamConfig(beam_size=10, beam_threshold=math.inf, n_best=10))[:3]
    )


@pytest.mark.parametrize(
    ("beam_size", "beam_threshold", "n_best", "name"),
    [
        (0, 10.0, 1, "beam_size"),
        (4, 0.0, 1, "beam_threshold"),
        (4, math.nan, 1, "beam_threshold"),
        (4, 10.0, 0, "n_best"),
        (4, 10.0, 5, "n_best"),
    ],
)
def test_an_impossible_configuration_is_refused_by_name(
    beam_size: int, beam_threshold: float, n_best: int, name: str
) -> None:
    with pytest.raises(ConfigError, match=name):
        BeamConfig(beam_size=beam_size, beam_threshold=beam_threshold, n_best=n_best)


@pytest.mark.parametrize("name", ["lm_weight", "word_score", "unknown_score", "prior_weight"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1000.0])
def test_a_weight_that_no_factor_can_hold_is_refused_by_name(name: str, value: float) -> None:
    with pytest.raises(ConfigError, match=name):
        BeamConfig(beam_size=4, beam_threshold=10.0, n_best=1, **{name: value})


@pytest.mark.corpus
def test_a_published_emission_is_searched_as_well_with_100_prefixes_as_with_1000(
    published_emission: Emission,
) -> None:
    narrow = n_best(published_emission, BeamConfig(beam_size=100, beam_threshold=25.0, n_best=1))[0]
    wide = n_best(published_emission, BeamConfig(beam_size=1000, beam_threshold=40.0, n_best=1))[0]
    greedy = search_greedily(published_emission)
    assert narrow.tokens == wide.tokens
    assert narrow.score == pytest.approx(wide.score, abs=1e-4)
    assert greedy.score < narrow.score <= 0.0


@pytest.mark.slow
def test_a_search_takes_less_time_than_python_needs_to_read_its_candidates_fifty_times() -> None:
    log_probs = random_log_probs(5, 300, 29, scale=3)

    def search() -> None:
        n_best(log_probs, BeamConfig(beam_size=16, beam_threshold=20.0, n_best=1))

    def read() -> None:
        for frame in log_probs.tolist():
            for _ in range(50 * 16):
                for score in frame:
                    abs(score)

    def seconds(run: Callable[[], None]) -> float:
        start = time.process_time()
        run()
        return time.process_time() - start

    assert min(seconds(search) for _ in range(3)) < min(seconds(read) for _ in range(3))
