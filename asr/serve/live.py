"""Live: words while somebody speaks, over a WebSocket.

The client sends samples, 16 bits each, mono, as binary messages at the rate of its query
(`/v1/audio/live?rate=16000`), and finally the text `{"type": "end"}`. The server sends JSON:

    session   the model, and the greatest delay of a word in seconds
    words     the next words, with times and confidences; they do not change any more
    done      the whole text, also as srt, and the seconds heard; then it closes
    error     as OpenAI writes it; then it closes

The network is bidirectional: it needs `LIVE_CONTEXT` seconds after a sound to recognise it, and
computes `LIVE_STRIDE` seconds at a time. A word that the search still doubts waits up to
`LIVE_PATIENCE` seconds more.
"""

import asyncio
import json
from collections.abc import Iterator
from queue import SimpleQueue
from threading import Event
from typing import BinaryIO, cast

from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from asr.audio.pcm import PcmFormat
from asr.audio.recording import open_recording
from asr.errors import AudioError
from asr.runtime.windows import LIVE_CONTEXT, LIVE_PATIENCE, LIVE_STRIDE
from asr.serve import answers
from asr.serve.gate import KEY_PROTOCOL, LIVE
from asr.serve.refusal import Refusal
from asr.serve.service import Service
from asr.serve.work import Results, Work, watched
from asr.text.transcript import Word

MIN_RATE, MAX_RATE = 8000, 96000  # Hz
MAX_MESSAGES = 64  # that wait to be decoded; then the client is not read any more

_CLOSINGS = {503: 1013, 413: 1009}  # by HTTP status; all others are violations of a policy
_POLICY = 1008

router = APIRouter()


@router.websocket(LIVE)
async def live(websocket: WebSocket) -> None:
    """Transcribe what a client says, while it says it."""
    service: Service = websocket.app.state.service
    offered = websocket.scope.get("subprotocols", [])
    named = [name for name in offered if not name.startswith(KEY_PROTOCOL)]
    await websocket.accept(named[0] if named else None)
    try:
        await _session(websocket, service)
    except WebSocketDisconnect:
        pass
    except AudioError as error:
        await _refuse(websocket, Refusal(400, str(error), code="invalid_audio"))
    except Refusal as refusal:
        await _refuse(websocket, refusal)


async def _session(websocket: WebSocket, service: Service) -> None:
    rate = _rate(websocket)
    service.check_model(websocket.query_params.get("model"))
    if service.metrics.live >= service.limits.live:
        raise Refusal(503, "too many live sessions at once; try again", code="overloaded")
    service.metrics.live += 1
    feed = Feed(rate)
    try:
        await websocket.send_json(
            {
                "type": "session",
                "model": service.name,
                "delay": LIVE_STRIDE + LIVE_CONTEXT + LIVE_PATIENCE,
            }
        )
        work, limits = _recognise(service, feed), service.limits
        seconds = limits.audio_seconds + limits.seconds
        async with service.live_workers.results(work, seconds=seconds) as results:
            try:
                await _converse(websocket, feed, results, limits.seconds)
            finally:
                feed.end()
    finally:
        service.metrics.live -= 1
        service.metrics.live_seconds += feed.seconds
        websocket.state.audio_seconds = feed.seconds


def _rate(websocket: WebSocket) -> int:
    given = websocket.query_params.get("rate", "")
    if not (given.isascii() and given.isdigit() and MIN_RATE <= int(given[:9]) <= MAX_RATE):
        raise Refusal(
            400,
            f"rate: expected the samples per second, {MIN_RATE} to {MAX_RATE}, as in ?rate=16000",
            param="rate",
        )
    return int(given)


def _recognise(service: Service, feed: "Feed") -> Work[tuple[Word, ...]]:
    def work(gone: Event) -> Iterator[tuple[Word, ...]]:
        if not feed.wait():
            return
        with open_recording(cast(BinaryIO, feed), pcm=PcmFormat(feed.rate)) as recording:
            blocks = recording.blocks(service.recognizer.sample_rate)
            yield from service.recognizer.stream(
                watched(blocks, gone, service.n_most),
                stride=LIVE_STRIDE,
                context=LIVE_CONTEXT,
                patience=LIVE_PATIENCE,
            )

    return work


async def _converse(
    websocket: WebSocket, feed: "Feed", results: Results[tuple[Word, ...]], seconds: float
) -> None:
    """Listen and answer at the same time, until the client has said all and heard all."""
    listening = asyncio.ensure_future(_listen(websocket, feed, seconds))
    answering = asyncio.ensure_future(_answer(websocket, results))
    try:
        await asyncio.wait({listening, answering}, return_when=asyncio.FIRST_COMPLETED)
        if not answering.done():
            listening.result()  # raises if the client did not end properly
        words = await answering
    finally:
        listening.cancel()
        answering.cancel()
    await websocket.send_json({**answers.done(words, feed.seconds), "type": "done"})
    await websocket.close()


async def _listen(websocket: WebSocket, feed: "Feed", seconds: float) -> None:
    """Feed what the client sends, until it says that this is all."""
    while True:
        try:
            message = await asyncio.wait_for(websocket.receive(), seconds)
        except TimeoutError:
            raise Refusal(408, "nothing has come for too long", code="timeout") from None
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect
        if content := message.get("bytes"):
            await feed.put(content)
        elif message.get("text") is not None:
            _check_end(message["text"])
            feed.end()
            return


async def _answer(websocket: WebSocket, results: Results[tuple[Word, ...]]) -> list[Word]:
    words: list[Word] = []
    async for more in results:
        words += more
        await websocket.send_json({"type": "words", "words": answers.word_records(more)})
    return words


def _check_end(text: str) -> None:
    try:
        is_end = json.loads(text) == {"type": "end"}
    except (ValueError, RecursionError):
        is_end = False
    if not is_end:
        raise Refusal(400, 'expected samples as binary messages, or the text {"type": "end"}')


async def _refuse(websocket: WebSocket, refusal: Refusal) -> None:
    websocket.state.status = refusal.status_code  # for the log; the answer's was 101
    await websocket.send_json({"type": "error", **refusal.body})
    await websocket.close(_CLOSINGS.get(refusal.status_code, _POLICY))


class Feed:
    """A file of 16-bit samples that is read in a thread while the event loop writes it.

    Attributes:
        rate: Hz, of the samples.
    """

    def __init__(self, rate: int) -> None:
        self._contents: SimpleQueue[bytes] = SimpleQueue()
        self._first = b""
        self.rate, self._n_bytes = rate, 0

    @property
    def seconds(self) -> float:
        """How much has been put."""
        return self._n_bytes / 2 / self.rate

    async def put(self, content: bytes) -> None:
        """Write what has come; wait while the reader is far behind."""
        while self._contents.qsize() >= MAX_MESSAGES:
            await asyncio.sleep(0.05)
        self._n_bytes += len(content)
        self._contents.put(content)

    def end(self) -> None:
        """Let the file end here; twice is once."""
        self._contents.put(b"")

    def wait(self) -> bool:
        """Wait until there is something to read; tell whether there is."""
        self._first = self._contents.get()
        return bool(self._first)

    def read1(self, n: int) -> bytes:  # noqa: ARG002 (a file's)
        """Return what has come, of any length; nothing at the end."""
        first, self._first = self._first, b""
        return first or self._contents.get()

    read = read1

    def seekable(self) -> bool:
        """Tell that nothing can be read twice."""
        return False
