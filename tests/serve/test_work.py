"""Work in threads: its results, its errors, and its end when nobody waits."""

import asyncio
from collections.abc import Iterator
from threading import Event
from time import sleep

import numpy as np
import pytest
from anyio import CancelScope

from asr.errors import AudioError
from asr.serve.refusal import Refusal
from asr.serve.work import Abandoned, Workers, unless_gone, watched


def test_results_come_one_by_one_and_then_the_error() -> None:
    def work(_: Event) -> Iterator[int]:
        yield 1
        yield 2
        raise AudioError("broken")

    async def collect() -> list[int]:
        async with Workers(1).results(work, seconds=10) as results:
            collected = [await anext(results), await anext(results)]
            with pytest.raises(AudioError, match="broken"):
                await anext(results)
        return collected

    assert asyncio.run(collect()) == [1, 2]


def test_what_takes_too_long_is_refused_and_ends() -> None:
    begun, ended = Event(), Event()

    def work(gone: Event) -> Iterator[int]:
        begun.set()
        assert gone.wait(60)
        ended.set()
        yield 1

    async def wait(seconds: float) -> None:
        async with Workers(1).results(work, seconds=seconds) as results:
            await anext(results)

    for seconds in (0.05, 0.5, 5.0):  # until that is time enough to begin
        if not begun.is_set():
            with pytest.raises(Refusal) as refused:
                asyncio.run(wait(seconds))
            assert refused.value.status_code == 503
    assert ended.is_set()


def test_a_client_that_goes_away_ends_its_work() -> None:
    begun, ended = Event(), Event()

    def work(gone: Event) -> Iterator[int]:
        begun.set()
        endless = (np.zeros(1, np.float32) for _ in iter(lambda: gone.wait(0.01), None))
        try:
            yield from map(len, watched(endless, gone, 10**9))
        except Abandoned:
            ended.set()

    async def answer() -> int:
        async with Workers(1).results(work, seconds=10) as results:
            return sum([each async for each in results])

    async def leave() -> dict[str, str]:
        await asyncio.to_thread(begun.wait, 10)
        return {"type": "http.disconnect"}

    with pytest.raises(Abandoned):
        asyncio.run(unless_gone(leave, answer()))
    assert ended.is_set()


def test_a_stream_that_is_left_ends_after_its_work() -> None:
    """Starlette cancels it again and again; what the work reads is closed behind it."""
    ended = Event()

    def work(gone: Event) -> Iterator[int]:
        yield 1
        gone.wait(10)
        sleep(0.05)
        ended.set()

    async def leave() -> bool:
        with CancelScope() as scope:
            async with Workers(1).results(work, seconds=10) as results:
                await anext(results)
                scope.cancel()
                await anext(results)
        return ended.is_set()

    assert asyncio.run(leave())


def test_work_that_has_not_begun_never_begins() -> None:
    begun = Event()

    def block(gone: Event) -> Iterator[int]:
        yield 1
        gone.wait(10)

    def never(_: Event) -> Iterator[int]:
        begun.set()
        yield 1

    async def try_both() -> None:
        workers = Workers(1)
        async with workers.results(block, seconds=10) as results:
            await anext(results)
            async with workers.results(never, seconds=10):
                pass
        await workers.close()

    asyncio.run(try_both())
    assert not begun.is_set()


def test_while_the_server_ends_works_are_told_to() -> None:
    told: list[bool] = []

    def work(gone: Event) -> Iterator[int]:
        yield 1
        told.append(gone.wait(5))

    async def end() -> None:
        workers, has_begun = Workers(1), asyncio.Event()

        async def answer() -> None:
            async with workers.results(work, seconds=10) as results:
                async for _ in results:
                    has_begun.set()

        request = asyncio.ensure_future(answer())
        await has_begun.wait()
        request.cancel()
        await workers.close()

    asyncio.run(end())
    assert told == [True]


def test_audio_beyond_the_limit_is_refused() -> None:
    blocks = [np.zeros(6, np.float32)] * 2
    assert len(list(watched(blocks, Event(), 12))) == 2
    with pytest.raises(Refusal, match="too long"):
        list(watched(blocks, Event(), 11))
