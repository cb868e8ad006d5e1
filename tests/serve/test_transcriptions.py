import json
from collections.abc import Iterator
from typing import Any

import pytest

from asr.recognizer import Recognizer
from asr.text.formats import FORMATS
from tests.serve.conftest import SECONDS, SPEECH, Running, until

Client = Any  # openai may be missing
Answer = Any


@pytest.fixture
def client(server: Running) -> Iterator[Client]:
    openai = pytest.importorskip("openai")
    with openai.OpenAI(
        base_url=f"http://127.0.0.1:{server.port}/v1", api_key="-", max_retries=0
    ) as client:
        yield client


def ask(client: Client, **options: object) -> Answer:
    return client.audio.transcriptions.create(model="tiny", file=SPEECH, **options)


def test_openais_client_gets_every_format(client: Client, recognizer: Recognizer) -> None:
    transcript = recognizer.transcribe(SPEECH)
    assert ask(client).text == transcript.text
    assert ask(client, response_format="text") == FORMATS["txt"](transcript)
    assert ask(client, response_format="srt") == FORMATS["srt"](transcript)
    assert ask(client, response_format="vtt") == FORMATS["vtt"](transcript)
    verbose = ask(client, response_format="verbose_json")
    assert (verbose.text, verbose.duration) == (transcript.text, transcript.duration)


def test_verbose_json_has_what_was_asked_for(client: Client, recognizer: Recognizer) -> None:
    transcript = recognizer.transcribe(SPEECH)

    segments = ask(client, response_format="verbose_json")
    words = ask(client, response_format="verbose_json", timestamp_granularities=["word"])

    assert segments.words is None
    assert [s.text for s in segments.segments] == [transcript.text]
    assert words.segments is None
    assert [(w.word, w.start, w.end) for w in words.words] == [
        (w.text, pytest.approx(w.start), pytest.approx(w.end)) for w in transcript.words
    ]


def test_a_stream_has_the_words_of_the_whole(client: Client, recognizer: Recognizer) -> None:
    *deltas, done = list(ask(client, stream=True))

    assert {each.type for each in deltas} == {"transcript.text.delta"}
    assert done.type == "transcript.text.done"
    assert "".join(each.delta for each in deltas) == done.text
    assert done.text == recognizer.transcribe(SPEECH).text


def test_models_are_listed_and_found(client: Client) -> None:
    openai = pytest.importorskip("openai")
    assert [model.id for model in client.models.list()] == ["tiny"]
    assert client.models.retrieve("tiny").object == "model"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("large")


@pytest.mark.parametrize(
    ("fields", "status", "param"),
    [
        ({"model": "whisper-1"}, 404, "model"),
        ({"response_format": "xml"}, 400, "response_format"),
        ({"timestamp_granularities[]": "letter"}, 400, "timestamp_granularities[]"),
        ({"stream": "true", "response_format": "srt"}, 400, "response_format"),
    ],
)
def test_what_is_wrong_is_named(
    server: Running, fields: dict[str, str], status: int, param: str
) -> None:
    reply = server.transcribe(SPEECH.read_bytes(), **fields)
    assert (reply.status, reply.error["param"]) == (status, param)
    assert reply.error["type"] == "invalid_request_error"


@pytest.mark.parametrize("stream", ["false", "true"])
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"hello", "is not audio"),
        (SPEECH.read_bytes()[:20000], "is truncated"),
    ],
)
def test_a_recording_that_cannot_be_used_is_refused_with_the_reason(
    server: Running, content: bytes, reason: str, stream: str
) -> None:
    reply = server.transcribe(content, stream=stream)
    assert (reply.status, reply.error["code"]) == (400, "invalid_audio")
    assert reply.error["message"].startswith(f"the recording: {reason}")


def test_errors_of_routing_have_openais_form_too(server: Running) -> None:
    assert server.get("/v2").error["type"] == "invalid_request_error"
    assert server.get("/v1/audio/transcriptions").status == 405


def test_what_was_heard_is_counted(server: Running) -> None:
    before = server.metric("asr_audio_seconds_total")
    server.transcribe(SPEECH.read_bytes(), response_format="json")
    assert server.metric("asr_audio_seconds_total") == pytest.approx(before + SECONDS, abs=0.01)
    assert until(lambda: server.metric("asr_in_flight") == 0)
    assert server.metric("asr_real_time_factor") > 0


def test_the_api_is_described(server: Running) -> None:
    assert json.loads(server.get("/openapi.json").content)["info"]["title"] == "asr"
