"""Answers: a transcript in the forms of OpenAI's transcription API.

References:
    OpenAI, "API reference", "Create transcription", "The transcription object (Verbose JSON)" and
    "Stream event (transcript.text.delta)".
"""

import json
import math
import zlib
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Literal

from starlette.responses import JSONResponse, PlainTextResponse, Response

from asr.text.cues import MIN_PAUSE
from asr.text.formats import FORMATS
from asr.text.transcript import Transcript, Word

Form = Literal["json", "text", "srt", "verbose_json", "vtt"]
Granularity = Literal["word", "segment"]

_TYPES = {"text": "text/plain", "srt": "application/x-subrip", "vtt": "text/vtt"}


def answer(transcript: Transcript, form: Form, granularities: Collection[Granularity]) -> Response:
    """Answer a request for one transcript.

    Args:
        transcript: With a duration.
        form: What the client asked for.
        granularities: What verbose_json is to list.
    """
    if form == "json":
        return JSONResponse({"text": transcript.text, "usage": usage(transcript.duration or 0.0)})
    if form == "verbose_json":
        return JSONResponse(verbose(transcript, granularities))
    write: Callable[[Transcript], str] = FORMATS["txt" if form == "text" else form]
    return PlainTextResponse(write(transcript), media_type=_TYPES[form])


def verbose(transcript: Transcript, granularities: Collection[Granularity]) -> dict[str, Any]:
    """Write a transcript as verbose_json.

    Words have their `confidence`, which OpenAI's lack. The language is unknown, since models do not
    say theirs. Of what Whisper alone has, a segment has no tokens, and never any doubt that it is
    speech; its avg_logprob is the mean over its words.
    """
    body: dict[str, Any] = {
        "task": "transcribe",
        "language": "unknown",
        "duration": round(transcript.duration or 0.0, 3),
        "text": transcript.text,
        "usage": usage(transcript.duration or 0.0),
    }
    if "segment" in granularities:
        body["segments"] = [
            _segment(number, words) for number, words in enumerate(segments(transcript.words))
        ]
    if "word" in granularities:
        body["words"] = word_records(transcript.words)
    return body


def word_records(words: Sequence[Word]) -> list[dict[str, Any]]:
    """List words with their times, in seconds, and confidences."""
    return [
        {
            "word": word.text,
            "start": round(word.start, 3),
            "end": round(word.end, 3),
            "confidence": None if word.confidence is None else round(word.confidence, 4),
        }
        for word in words
    ]


def segments(words: Sequence[Word]) -> list[list[Word]]:
    """Divide words at the pauses that also end a subtitle."""
    divided: list[list[Word]] = []
    for word in words:
        pause = word.start - divided[-1][-1].end if divided else math.inf
        if pause * 1000 >= MIN_PAUSE:
            divided.append([])
        divided[-1].append(word)
    return divided


def event(record: Mapping[str, Any]) -> str:
    """Write a server-sent event."""
    return f"data: {json.dumps(record, ensure_ascii=False)}\n\n"


def delta(words: Sequence[Word], *, is_first: bool) -> dict[str, Any]:
    """Write the next words of a stream."""
    text = " ".join(word.text for word in words)
    return {
        "type": "transcript.text.delta",
        "delta": text if is_first else f" {text}",
        "words": word_records(words),
    }


def done(words: Sequence[Word], seconds: float) -> dict[str, Any]:
    """Write the end of a stream: the whole text, and what the page needs besides."""
    text = " ".join(word.text for word in words)
    return {
        "type": "transcript.text.done",
        "text": text,
        "srt": FORMATS["srt"](Transcript("recording", text, words=tuple(words))),
        "duration": round(seconds, 3),
    }


def usage(seconds: float) -> dict[str, Any]:
    """Say how much audio was transcribed; whole seconds, rounded up."""
    return {"type": "duration", "seconds": math.ceil(seconds)}


def _segment(number: int, words: Sequence[Word]) -> dict[str, Any]:
    text = " ".join(word.text for word in words)
    logs = [math.log(max(word.confidence, 1e-5)) for word in words if word.confidence is not None]
    content = text.encode()
    return {
        "id": number,
        "seek": 0,
        "start": round(words[0].start, 3),
        "end": round(words[-1].end, 3),
        "text": text,
        "tokens": [],
        "temperature": 0.0,
        "avg_logprob": round(sum(logs) / len(logs), 4) if logs else 0.0,
        "compression_ratio": round(len(content) / len(zlib.compress(content)), 4),
        "no_speech_prob": 0.0,
    }
