"""Batches: an engine that many requests share, which computes together whatever has arrived."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Self

import numpy as np
from numpy.typing import NDArray

from asr.runtime.engine import Engine
from asr.runtime.windows import padded

MAX_SECONDS = 120.0  # of audio at once, padding included: under a second of computing on a CPU

Result = tuple[NDArray[np.float32], NDArray[np.int64]]


@dataclass(frozen=True, slots=True)
class _Job:
    """What one caller of `log_probs` waits for."""

    waveforms: list[NDArray[np.float32]]
    head: str
    result: "Future[Result]" = field(default_factory=Future)


class SharedEngine:
    """Implements `asr.runtime.engine.Engine` for many threads, by one that computes.

    It takes what has waited longest, and with it all else that waits, in order, up to
    `MAX_SECONDS`. An engine computes each utterance independently of the others, so nobody's result
    depends on who came at the same time. A context: on leaving it, no more is computed.

    Args:
        engine: Computes the network.
        observe: Called with the number of utterances of each batch.
    """

    def __init__(self, engine: Engine, observe: Callable[[float], None] = lambda _: None) -> None:
        self._engine, self._observe = engine, observe
        self.sample_rate, self.heads = engine.sample_rate, engine.heads
        self._waiting: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread = Thread(target=self._compute_all, name="engine", daemon=True)

    def log_probs(
        self, waveforms: NDArray[np.float32], lengths: NDArray[np.int64], head: str
    ) -> Result:
        """Score every token at every frame, as `Engine.log_probs`."""
        job = _Job([row[:n] for row, n in zip(waveforms, lengths, strict=True)], head)
        self._waiting.put(job)
        return job.result.result()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._waiting.put(None)
        self._thread.join()

    def _compute_all(self) -> None:
        job = self._waiting.get()
        while job is not None:
            batch, job = self._gather(job)
            _compute(self._engine, batch)
            self._observe(sum(len(each.waveforms) for each in batch))
            if job is None:
                job = self._waiting.get()

    def _gather(self, first: _Job) -> tuple[list[_Job], _Job | None]:
        """Take all that fits into one batch; return the first job that does not, if any."""
        batch, lengths = [first], [len(waveform) for waveform in first.waveforms]
        while True:
            try:
                job = self._waiting.get_nowait()
            except Empty:
                return batch, None
            if job is None:
                self._waiting.put(None)  # after this batch
                return batch, None
            more = lengths + [len(waveform) for waveform in job.waveforms]
            is_full = max(more, default=0) * len(more) > MAX_SECONDS * self.sample_rate
            if is_full or job.head != first.head:
                return batch, job
            batch, lengths = [*batch, job], more


def _compute(engine: Engine, batch: list[_Job]) -> None:
    """Compute a batch, and give each job its rows, or the error."""
    waveforms = [waveform for job in batch for waveform in job.waveforms]
    try:
        log_probs, lengths = engine.log_probs(*padded(waveforms), batch[0].head)
    except Exception as error:  # noqa: BLE001 (raised again in the thread of each caller)
        for job in batch:
            job.result.set_exception(error)
        return
    first = 0
    for job in batch:
        rows = slice(first, first + len(job.waveforms))
        n_frames = max(lengths[rows], default=0)
        job.result.set_result((log_probs[rows, :n_frames], lengths[rows]))
        first = rows.stop
