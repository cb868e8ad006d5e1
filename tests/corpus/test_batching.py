"""Batches cover the corpus, fit, change from epoch to epoch, and follow from their seed alone."""

import os
import random
import subprocess
import sys
from itertools import pairwise

import pytest

from asr.corpus.batching import BatchingConfig, plan_batches
from asr.errors import ConfigError

DURATIONS = [round(random.Random(index).uniform(1, 16), 2) for index in range(500)]


def plan(
    durations: list[float],
    batch_duration: float,
    seed: int,
    epoch: int,
    *,
    sorted_first: bool = False,
) -> list[list[int]]:
    config = BatchingConfig(batch_duration=batch_duration, sorted_first=sorted_first, seed=seed)
    return plan_batches(durations, config, epoch)


def companions(batches: list[list[int]]) -> set[frozenset[int]]:
    return {frozenset(batch) for batch in batches}


@pytest.mark.parametrize("epoch", range(4))
@pytest.mark.parametrize("sorted_first", [False, True])
def test_every_utterance_is_in_exactly_one_batch(epoch: int, sorted_first: bool) -> None:
    batches = plan(DURATIONS, 100.0, 0, epoch, sorted_first=sorted_first)

    assert sorted(index for batch in batches for index in batch) == list(range(500))


@pytest.mark.parametrize("batch_duration", [16.0, 50.0, 100.0, 1000.0])
def test_no_batch_lasts_longer_than_allowed_padding_included(batch_duration: float) -> None:
    for epoch in range(3):
        for batch in plan(DURATIONS, batch_duration, 0, epoch):
            assert max(DURATIONS[index] for index in batch) * len(batch) <= batch_duration


def test_a_batch_is_as_full_as_the_next_utterance_lets_it_be() -> None:
    assert plan([1.0] * 10, 5.0, 0, 0, sorted_first=True) == [
        [0, 1, 2, 3, 4],
        [5, 6, 7, 8, 9],
    ]
    assert plan([1.0, 2.0, 3.0, 4.0], 6.0, 0, 0, sorted_first=True) == [[0, 1], [2], [3]]


def test_an_utterance_that_is_too_long_is_a_batch_alone() -> None:
    batches = plan([3.0, 50.0, 3.1, 60.0], 10.0, 0, 1)

    assert companions(batches) == {frozenset({0, 2}), frozenset({1}), frozenset({3})}


@pytest.mark.parametrize("seed", [-1, 2**63])
def test_a_seed_that_torch_does_not_take_is_refused(seed: int) -> None:
    with pytest.raises(ConfigError, match=f"batching.seed must be in 0.*, got {seed}"):
        BatchingConfig(batch_duration=10.0, sorted_first=False, seed=seed)


def test_the_same_seed_and_epoch_give_the_same_batches() -> None:
    assert plan(DURATIONS, 100.0, 7, 3) == plan(DURATIONS, 100.0, 7, 3)


def test_the_batches_are_the_same_in_another_process() -> None:
    code = (
        "import random; from asr.corpus.batching import BatchingConfig, plan_batches;"
        "durations = [round(random.Random(index).uniform(1, 16), 2) for index in range(500)];"
        "config = BatchingConfig(batch_duration=100.0, sorted_first=False, seed=7);"
        "print(plan_batches(durations, config, 3))"
    )

    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "99", "PYTHONPATH": os.pathsep.join(sys.path)},
    )

    assert run.stdout.strip() == str(plan(DURATIONS, 100.0, 7, 3))


@pytest.mark.parametrize(("seed", "epoch"), [(0, 2), (1, 1)])
def test_another_seed_or_epoch_gives_another_order_and_other_companions(
    seed: int, epoch: int
) -> None:
    one = plan(DURATIONS, 100.0, 0, 1)
    other = plan(DURATIONS, 100.0, seed, epoch)

    assert len(companions(one) & companions(other)) < len(one) / 10
    assert one[0] != other[0]


def test_padding_stays_below_a_tenth() -> None:
    batches = plan(DURATIONS, 100.0, 0, 1)

    padded = sum(max(DURATIONS[index] for index in batch) * len(batch) for batch in batches)
    assert sum(DURATIONS) <= padded < 1.1 * sum(DURATIONS)


def test_long_and_short_batches_alternate_by_chance() -> None:
    batches = plan(DURATIONS, 100.0, 0, 1)

    longest = [max(DURATIONS[index] for index in batch) for batch in batches]
    n_rises = sum(one < other for one, other in pairwise(longest))
    assert len(batches) / 4 < n_rises < 3 * len(batches) / 4


def test_the_first_epoch_can_go_from_short_to_long() -> None:
    batches = plan(DURATIONS, 100.0, 0, 0, sorted_first=True)

    in_order = [DURATIONS[index] for batch in batches for index in batch]
    assert in_order == sorted(DURATIONS)


def test_later_epochs_are_the_same_whether_the_first_was_sorted() -> None:
    assert plan(DURATIONS, 100.0, 0, 1, sorted_first=True) == plan(
        DURATIONS, 100.0, 0, 1, sorted_first=False
    )


def test_no_utterances_make_no_batches() -> None:
    assert plan([], 100.0, 0, 0) == []


@pytest.mark.parametrize("batch_duration", [0.0, -1.0, float("nan")])
def test_a_batch_without_length_is_refused(batch_duration: float) -> None:
    with pytest.raises(ConfigError, match=r"batching\.batch_duration must be above 0 s"):
        BatchingConfig(batch_duration=batch_duration, sorted_first=False, seed=0)
