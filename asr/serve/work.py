"""Work: what takes long is done in threads, and ends when nobody waits for it any more."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from threading import Event
from typing import Generic, TypeVar

from anyio import CancelScope
from starlette.types import Receive

from asr.audio.decoder import Waveform
from asr.serve.refusal import Refusal

Result = TypeVar("Result")
Work = Callable[[Event], Iterator[Result]]  # the event is set when nobody waits any more


class Abandoned(Exception):  # noqa: N818 (not an error: the client went away)
    """Raised in the thread of a request that nobody waits for."""


class Results(Generic[Result]):
    """The results of a work, as they come from its thread.

    Args:
        seconds: From now until the work must have ended.
    """

    def __init__(self, seconds: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._results: asyncio.Queue[Result | Future[None]] = asyncio.Queue()
        self._end = time.monotonic() + seconds

    def put(self, result: "Result | Future[None]") -> None:
        """Pass on a result, or the ended work, from another thread."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._results.put_nowait, result)

    def __aiter__(self) -> AsyncIterator[Result]:
        return self

    async def __anext__(self) -> Result:
        left = max(0.0, self._end - time.monotonic())
        try:
            result = await asyncio.wait_for(self._results.get(), left)
        except TimeoutError:
            raise Refusal(
                503, "this took too long; try again later, or with less audio", code="timeout"
            ) from None
        if isinstance(result, Future):
            result.result()  # raises what ended the work, if that was an error
            raise StopAsyncIteration
        return result


class Workers:
    """Threads that work for requests.

    Args:
        n_threads: Works to do at the same time; others wait.
    """

    def __init__(self, n_threads: int) -> None:
        self._pool = ThreadPoolExecutor(n_threads, thread_name_prefix="request")

    @asynccontextmanager
    async def results(
        self, work: Work[Result], *, seconds: float
    ) -> AsyncIterator[Results[Result]]:
        """Start a work; on leaving the block it is abandoned, if it has not ended.

        Args:
            work: Called in a thread; it looks at the event from time to time, as `watched` does.
            seconds: After which `Results` refuses.
        """
        results: Results[Result] = Results(seconds)
        gone = Event()

        def run() -> None:
            if not gone.is_set():
                for result in work(gone):
                    results.put(result)

        future = self._pool.submit(run)
        future.add_done_callback(results.put)
        try:
            yield results
        finally:
            gone.set()
            future.cancel()
            # it may still read the upload; what ended it is told by `results` alone
            with CancelScope(shield=True):  # Starlette cancels again and again
                await asyncio.gather(asyncio.wrap_future(future), return_exceptions=True)

    async def close(self) -> None:
        """Wait for the threads, while requests tell them to end; start none any more."""
        await asyncio.to_thread(self._pool.shutdown, cancel_futures=True)


def watched(blocks: Iterable[Waveform], gone: Event, n_most: int) -> Iterator[Waveform]:
    """Pass blocks of audio on while somebody waits for them, up to a number of samples.

    Raises:
        Abandoned: Nobody waits.
        Refusal: There are more than `n_most` samples.
    """
    n_samples = 0
    for block in blocks:
        if gone.is_set():
            raise Abandoned
        n_samples += len(block)
        if n_samples > n_most:
            raise too_long()
        yield block


def too_long() -> Refusal:
    """Make the refusal of a recording that lasts too long."""
    return Refusal(413, "the recording is too long for this server; cut it", code="audio_too_long")


async def unless_gone(receive: Receive, work: Awaitable[Result]) -> Result:
    """Wait for a work while the client stays; else cancel it.

    Args:
        receive: ASGI's, of a request whose body has been read.
        work: To wait for.

    Raises:
        Abandoned: The client went away.
    """
    working, leaving = asyncio.ensure_future(work), asyncio.ensure_future(receive())
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise Abandoned
        return working.result()
    finally:
        leaving.cancel()
        if not working.done():
            working.cancel()
            await asyncio.wait({working})
