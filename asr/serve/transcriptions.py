"""Transcriptions: a recording is uploaded, its transcript answered, at once or as it comes."""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Iterator
from contextlib import aclosing, contextmanager
from threading import Event
from typing import Annotated, BinaryIO, TypeVar

from fastapi import APIRouter, Form, Request, UploadFile
from starlette.responses import Response, StreamingResponse

from asr.audio.decoder import Waveform
from asr.audio.recording import open_recording
from asr.errors import AudioError
from asr.runtime.windows import measured
from asr.serve import answers
from asr.serve.gate import TRANSCRIPTIONS, UNANSWERED
from asr.serve.refusal import Refusal
from asr.serve.service import Service
from asr.serve.work import Abandoned, too_long, unless_gone, watched
from asr.text.transcript import Transcript, Word

Result = TypeVar("Result")

router = APIRouter()


@router.post(TRANSCRIPTIONS)
async def transcribe(
    request: Request,
    file: UploadFile,
    model: Annotated[str | None, Form()] = None,
    response_format: Annotated[answers.Form, Form()] = "json",
    granularities: Annotated[
        list[answers.Granularity] | None, Form(alias="timestamp_granularities[]")
    ] = None,
    stream: Annotated[bool, Form()] = False,
) -> Response:
    """Transcribe a recording, as OpenAI's API does.

    Other fields of that API are ignored: the model has one language, no prompt and no temperature.
    """
    service: Service = request.app.state.service
    service.check_model(model)
    if stream and response_format not in {"json", "text"}:
        raise Refusal(400, "a stream has no response_format; leave it out", param="response_format")
    if stream:
        events = _events(request, service, file.file)
        first = await _waited(request, anext(events))  # what is wrong with a recording comes here
        return StreamingResponse(_after(first, events), media_type="text/event-stream")
    transcript = await _waited(request, _transcript(request, service, file.file))
    return answers.answer(transcript, response_format, granularities or ["segment"])


async def _transcript(request: Request, service: Service, file: BinaryIO) -> Transcript:
    """Transcribe a recording in one piece."""

    def work(gone: Event) -> Iterator[Transcript]:
        with _opened(service, file, gone) as blocks:
            yield service.recognizer.transcribe_blocks("recording", blocks)

    begun = time.monotonic()
    async with service.workers.results(work, seconds=service.limits.seconds) as results:
        transcript = await anext(results)
    _count(request, service, transcript.duration or 0.0, begun)
    return transcript


async def _events(request: Request, service: Service, file: BinaryIO) -> AsyncGenerator[str]:
    """Transcribe a recording in pieces, an event each."""
    lengths: list[int] = []

    def work(gone: Event) -> Iterator[tuple[Word, ...]]:
        with _opened(service, file, gone) as blocks:
            yield from service.recognizer.stream(measured(blocks, lengths))

    begun, words = time.monotonic(), list[Word]()
    try:
        async with service.workers.results(work, seconds=service.limits.seconds) as results:
            async for more in results:
                yield answers.event(answers.delta(more, is_first=not words))
                words += more
    except (AudioError, Refusal) as error:
        if not words:
            raise
        yield answers.event(error.body if isinstance(error, Refusal) else _unusable(error).body)
        return
    seconds = sum(lengths) / service.recognizer.sample_rate
    _count(request, service, seconds, begun)
    yield answers.event(answers.done(words, seconds))


async def _after(first: str, events: AsyncGenerator[str]) -> AsyncIterator[str]:
    """Yield an event, and those that follow; end their work when nobody listens."""
    async with aclosing(events):
        yield first
        async for event in events:
            yield event


async def _waited(request: Request, waited: Awaitable[Result]) -> Result:
    """Wait for the answer while the client does."""
    try:
        return await unless_gone(request.receive, waited)
    except AudioError as error:
        raise _unusable(error) from error
    except Abandoned:
        raise Refusal(UNANSWERED, "the client went away") from None


@contextmanager
def _opened(service: Service, file: BinaryIO, gone: Event) -> Iterator[Iterator[Waveform]]:
    """Open an upload; its blocks end when the client is gone, or the recording is too long."""
    with open_recording(file) as recording:
        if (recording.duration or 0.0) > service.limits.audio_seconds:
            raise too_long()
        blocks = recording.blocks(service.recognizer.sample_rate)
        yield watched(blocks, gone, service.n_most)


def _count(request: Request, service: Service, seconds: float, begun: float) -> None:
    request.state.audio_seconds = seconds
    service.metrics.audio_seconds += seconds
    service.metrics.working.observe(time.monotonic() - begun)


def _unusable(error: AudioError) -> Refusal:
    return Refusal(400, str(error), code="invalid_audio", param="file")
