import threading

import pytest

from asr.corpus.loader import prefetch


@pytest.mark.parametrize("n_threads", [1, 3])
def test_results_come_in_the_order_of_the_arguments(n_threads: int) -> None:
    numbers = prefetch(lambda n: n * n, range(20), depth=4, n_threads=n_threads)

    assert list(numbers) == [n * n for n in range(20)]


def test_several_threads_compute_at_once() -> None:
    both = threading.Barrier(2, timeout=10)

    assert len(list(prefetch(lambda _: both.wait(), range(4), depth=4, n_threads=2))) == 4


def test_an_error_comes_where_its_result_would_have_come() -> None:
    numbers = prefetch(lambda n: 1 // n, [1, 1, 0, 1], depth=2)

    assert [next(numbers), next(numbers)] == [1, 1]
    with pytest.raises(ZeroDivisionError):
        next(numbers)
