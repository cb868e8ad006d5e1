import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.search.pool import CANDIDATE, STATUS, make_table, nth_greatest, prune

shares = st.sampled_from([0.0, 0.1, 0.2, 0.5, 0.7, 1.0])
values = st.lists(shares, min_size=1, max_size=40)


@given(values, st.integers(1, 45), st.sampled_from([0.0, 0.3]))
def test_pruning_keeps_the_head_of_a_stable_sort_in_the_original_order(
    offered: list[float], size: int, min_share: float
) -> None:
    pool, status = np.recarray(40, CANDIDATE), np.recarray(1, STATUS)
    pool["value"][: len(offered)] = offered
    pool["token"][: len(offered)] = range(len(offered))
    status[0] = (size, len(offered), max(offered), 0.0, min_share)
    prune(pool, status, np.empty(40), make_table(40)[:0])
    useful = [i for i, value in enumerate(offered) if value > max(offered) * min_share]
    best = sorted(sorted(useful, key=lambda i: -offered[i])[:size])
    assert pool["token"][: status["n"][0]].tolist() == best


few = st.integers(0, 2)


@given(st.lists(st.tuples(shares, few, few, few, few), min_size=1, max_size=40))
def test_of_candidates_that_go_on_alike_only_the_best_stays(
    offered: list[tuple[float, int, int, int, int]],
) -> None:
    pool, status = np.recarray(40, CANDIDATE), np.recarray(1, STATUS)
    for i, (value, *future) in enumerate(offered):
        pool["prefix"][i], pool["value"][i] = i, value
        pool["token"][i], pool["node"][i], pool["lm_state"][i], pool["hotword_state"][i] = future
    status[0] = (40, len(offered), max(value for value, *_ in offered), 0.0, 0.0)
    prune(pool, status, np.empty(40), make_table(40))
    best: dict[tuple[int, ...], int] = {}
    for i, (value, *future) in sorted(enumerate(offered), key=lambda one: -one[1][0]):
        if value > 0.0:
            best.setdefault(tuple(future), i)
    assert pool["prefix"][: status["n"][0]].tolist() == sorted(best.values())


@pytest.mark.parametrize("field", ["token", "node", "lm_state", "hotword_state"])
def test_candidates_that_differ_in_anything_that_counts_both_stay(field: str) -> None:
    for other in range(1, 20):  # some of them fall on the first one's place in the table
        pool, status = np.recarray(2, CANDIDATE), np.recarray(1, STATUS)
        pool[:] = np.zeros(2, CANDIDATE)
        pool["value"], pool[field][1] = 1.0, other
        status[0] = (2, 2, 1.0, 0.0, 0.0)
        prune(pool, status, np.empty(2), make_table(2)[:2])
        assert status["n"][0] == 2


@given(values, st.data())
def test_the_nth_greatest_is_that_of_a_sorted_list(
    numbers: list[float], data: st.DataObject
) -> None:
    n = data.draw(st.integers(1, len(numbers)))
    found = nth_greatest(np.array(numbers), n)
    assert found == pytest.approx(sorted(numbers, reverse=True)[n - 1])
