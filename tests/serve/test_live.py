import json
import logging
from collections.abc import Sequence
from contextlib import AbstractContextManager, suppress
from typing import Any

import numpy as np
import pytest

from asr.audio.read import read_waveform
from asr.recognizer import Recognizer
from asr.runtime.windows import LIVE_CONTEXT, LIVE_PATIENCE, LIVE_STRIDE
from asr.serve.gate import KEY_PROTOCOL, LIVE, Access
from asr.serve.limits import Limits
from tests.serve.conftest import SECONDS, SPEECH, Running, Start, until

client = pytest.importorskip("websockets.sync.client")
WebSocketError = pytest.importorskip("websockets.exceptions").WebSocketException
END = '{"type": "end"}'


def connect(
    server: Running, query: str = "rate=16000", **options: object
) -> AbstractContextManager[Any]:
    url = f"ws://127.0.0.1:{server.port}/v1/audio/live?{query}"
    connection: AbstractContextManager[Any] = client.connect(url, proxy=None, **options)
    return connection


def pcm(rate: int = 16000) -> bytes:
    """The demo twice, as a client would send it."""
    waveform = read_waveform(SPEECH, sample_rate=rate)
    return (np.concatenate([waveform, waveform]) * 32767).astype("<i2").tobytes()


def talk(server: Running, blocks: Sequence[bytes | str], query: str) -> list[dict[str, Any]]:
    """Send all, and return what was answered, without the session."""
    with connect(server, query) as socket:
        session = json.loads(socket.recv())
        assert (session["type"], session["model"]) == ("session", "tiny")
        for block in blocks:
            socket.send(block)
        return heard(socket)


def heard(socket: Any) -> list[dict[str, Any]]:  # noqa: ANN401 (websockets may be missing)
    """Return all messages until the connection is closed, however it is."""
    messages: list[dict[str, Any]] = []
    with suppress(WebSocketError):
        messages.extend(json.loads(message) for message in socket)
    return messages


@pytest.mark.parametrize("n", [321, 1 << 20])
def test_the_words_are_those_of_stream_however_they_are_cut(
    server: Running, recognizer: Recognizer, n: int
) -> None:
    content = pcm()
    samples = np.frombuffer(content, "<i2").astype(np.float32) / np.float32(32768)
    expected = recognizer.stream(
        [samples], stride=LIVE_STRIDE, context=LIVE_CONTEXT, patience=LIVE_PATIENCE
    )
    text = " ".join(word.text for words in expected for word in words)

    blocks = [content[i : i + n] for i in range(0, len(content), n)]
    *answers, done = talk(server, [*blocks, END], "rate=16000")

    words = [word for answer in answers for word in answer["words"]]
    assert {answer["type"] for answer in answers} == {"words"}
    assert done["type"] == "done"
    assert done["text"] == " ".join(word["word"] for word in words) == text
    assert done["duration"] == pytest.approx(len(content) / 32000, abs=1e-3)
    assert "-->" in done["srt"]
    assert all(0 <= word["confidence"] <= 1 for word in words)


def test_words_come_within_the_promised_delay(server: Running) -> None:
    content = pcm()
    with connect(server) as socket:
        delay = json.loads(socket.recv())["delay"]
        assert delay == LIVE_STRIDE + LIVE_CONTEXT + LIVE_PATIENCE
        socket.send(content[: round(delay + 1.5) * 32000])
        words = json.loads(socket.recv(timeout=60))["words"]
    assert words[0]["start"] < 1.5


def test_another_rate_is_resampled(server: Running) -> None:
    done = talk(server, [pcm(48000), END], "rate=48000")[-1]
    assert "OLD MAN" in done["text"]


def test_silence_and_nothing_have_no_words(server: Running) -> None:
    silences: list[list[bytes | str]] = [[END], [bytes(32000), END], [b"", END]]
    for blocks in silences:
        assert talk(server, blocks, "rate=16000")[-1]["text"] == ""


@pytest.mark.parametrize("rate", ["", "x", "7999", "99999999999999999", "-1", "16000.0", "²"])
def test_a_rate_that_nobody_speaks_at_is_refused(server: Running, rate: str) -> None:
    with connect(server, f"rate={rate}") as socket:
        assert json.loads(socket.recv())["error"]["param"] == "rate"
        with pytest.raises(WebSocketError):
            socket.recv()
        assert socket.close_code == 1008


@pytest.mark.parametrize("text", ["", "{", "[" * 10_000, '{"type": "start"}'])
def test_a_text_that_is_no_end_is_refused(server: Running, text: str) -> None:
    (answer,) = talk(server, [text], "rate=16000")
    assert answer["error"]["type"] == "invalid_request_error"


def test_half_a_sample_is_refused(server: Running) -> None:
    assert talk(server, [b"abc", END], "rate=16000")[-1]["error"]["code"] == "invalid_audio"


def test_sessions_are_limited_and_a_lost_one_frees_its_place(start: Start) -> None:
    server = start(limits=Limits(live=1))
    with connect(server) as one:
        one.recv()
        with connect(server) as other:
            assert json.loads(other.recv())["error"]["code"] == "overloaded"
        one.send(pcm()[:32000])
        one.socket.close()  # without a word
    assert until(lambda: server.metric("asr_live_sessions") == 0)
    assert talk(server, [END], "rate=16000")[-1]["type"] == "done"


def test_a_session_is_logged_and_counted_with_its_bytes_and_how_it_ended(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    server, content = start(limits=Limits(live=1)), pcm()
    with caplog.at_level(logging.INFO, "asr"):
        with connect(server) as one:
            one.recv()
            with connect(server, "rate=1") as other:
                assert json.loads(other.recv())["error"]["param"] == "rate"
            with connect(server) as other:
                assert json.loads(other.recv())["error"]["code"] == "overloaded"
            one.send(content)
            one.send(END)
            heard(one)
        assert until(lambda: len(caplog.messages) == 3)
    assert sorted(message.split(",")[0] for message in caplog.messages) == [
        f"101: {len(content) + len(END)} bytes",
        "400: 0 bytes",
        "503: 0 bytes",
    ]
    metrics = server.get("/metrics").content.decode()
    for status in (101, 400, 503):
        assert f'asr_requests_total{{path="{LIVE}",status="{status}"}} 1\n' in metrics


def test_live_audio_does_not_dilute_the_real_time_factor(start: Start) -> None:
    server = start()
    server.transcribe(SPEECH.read_bytes())
    factor = server.metric("asr_real_time_factor")
    talk(server, [pcm(), END], "rate=16000")
    assert until(lambda: server.metric("asr_audio_seconds_total") > 2.5 * SECONDS)
    assert server.metric("asr_real_time_factor") == factor > 0


def test_silence_of_the_client_and_endless_talk_end_a_session(start: Start) -> None:
    hasty = start(limits=Limits(seconds=0.3))
    assert talk(hasty, [], "rate=16000")[-1]["error"]["code"] == "timeout"
    server = start(limits=Limits(audio_seconds=8.0))
    with connect(server) as socket:
        socket.recv()
        with suppress(WebSocketError):
            for _ in range(20):
                socket.send(bytes(64000))
        *_, last = heard(socket)
        assert (last["error"]["code"], socket.close_code) == ("audio_too_long", 1009)
    assert until(lambda: server.metric("asr_live_sessions") == 0)


def test_a_browser_sends_the_key_as_a_protocol(start: Start) -> None:
    server = start(access=Access("the-key", hosts=None))
    with connect(server, subprotocols=["asr", f"{KEY_PROTOCOL}the-key"]) as socket:
        assert json.loads(socket.recv())["type"] == "session"
        assert socket.subprotocol == "asr"
    for wrong in (["asr"], ["asr", f"{KEY_PROTOCOL}other"], [KEY_PROTOCOL]):
        with pytest.raises(WebSocketError, match="401"), connect(server, subprotocols=wrong):
            pass


def test_pages_of_others_may_not_listen(server: Running) -> None:
    with pytest.raises(WebSocketError, match="403"), connect(server, origin="https://a.example"):
        pass
