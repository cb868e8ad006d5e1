"""One engine for many threads: what comes together is computed together, each as alone."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Event

import numpy as np
import pytest
from numpy.typing import NDArray

from asr.errors import ShapeError
from asr.serve.batches import MAX_SECONDS, SharedEngine
from tests.serve.conftest import until

RATE = 100


class Echo:
    """Returns the samples as frames of one token, and notes its batches; waits to be let on."""

    def __init__(self) -> None:
        self.may_go, self.has_begun = Event(), Event()
        self.batches: list[int] = []

    @property
    def sample_rate(self) -> int:
        return RATE

    @property
    def heads(self) -> Mapping[str, int]:
        return {"text": 1}

    def log_probs(
        self, waveforms: NDArray[np.float32], lengths: NDArray[np.int64], head: str
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        self.has_begun.set()
        assert self.may_go.wait(10)
        self.batches.append(len(waveforms))
        if head not in self.heads:
            raise ShapeError(head)
        return waveforms[:, :, None], lengths


def rows(*lengths: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Waveforms of these lengths, each of its length in every sample; padding is NaN."""
    waveforms = np.full((len(lengths), max(lengths) + 3), np.nan, np.float32)
    for row, length in zip(waveforms, lengths, strict=True):
        row[:length] = length
    return waveforms, np.array(lengths)


def compute(sizes: Sequence[tuple[int, ...]]) -> tuple[list[int], list[list[list[float]]]]:
    """Compute jobs while a first one of length 1 is on its way; return batches and results."""
    echo = Echo()
    with SharedEngine(echo) as engine, ThreadPoolExecutor(len(sizes) + 1) as pool:
        first = pool.submit(engine.log_probs, *rows(1), "text")
        assert echo.has_begun.wait(10)
        jobs = []
        for n, lengths in enumerate(sizes, start=1):
            jobs.append(pool.submit(engine.log_probs, *rows(*lengths), "text"))
            assert until(partial(_has_waiting, engine, n))
        echo.may_go.set()
        first.result()
        results = [
            [row[:length, 0].tolist() for row, length in zip(*job.result(), strict=True)]
            for job in jobs
        ]
    return echo.batches, results


def test_what_waits_is_computed_together_and_each_gets_its_own() -> None:
    sizes = [(5,), (2, 9), (3,)]
    batches, results = compute(sizes)
    assert batches == [1, 4]
    assert results == [[[float(n)] * n for n in lengths] for lengths in sizes]


def test_a_batch_is_bounded_padding_included_and_nothing_is_lost() -> None:
    most = round(MAX_SECONDS * RATE)
    sizes = [(most // 2,), (most // 2,), (1,), (most + 1,), (1,)]
    batches, results = compute(sizes)
    assert batches == [1, 2, 1, 1, 1]
    assert [len(rows[0]) for rows in results] == [n for (n,) in sizes]


def test_an_error_reaches_its_caller_and_the_engine_goes_on() -> None:
    echo = Echo()
    echo.may_go.set()
    with SharedEngine(echo) as engine:
        with pytest.raises(ShapeError):
            engine.log_probs(*rows(4), "no head")
        log_probs, lengths = engine.log_probs(*rows(4), "text")
    assert log_probs[0, :, 0].tolist() == [4.0] * lengths[0]


def _has_waiting(engine: SharedEngine, n: int) -> bool:
    return engine._waiting.qsize() == n
