"""Hostile input is answered; it does not crash the server, nor fill its memory or its disk."""

import errno
import io
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from select import select

import numpy as np
import pytest
import soundfile

from asr.serve.app import MAX_FIELD_BYTES, MAX_FIELDS
from asr.serve.limits import Limits
from tests.serve.conftest import BOUNDARY, FORM, SPEECH, TRANSCRIPTIONS, Running, Start, form, until


@pytest.fixture(autouse=True)
def goes_on(server: Running) -> Iterator[None]:
    """Whatever happened, the next client is served, and nothing is left of the last."""
    yield
    assert until(lambda: server.metric("asr_in_flight") == 0)
    assert server.get("/v1/models").status == 200


def silence(minutes: int) -> bytes:
    """A FLAC file of silence: a few bytes a second."""
    file = io.BytesIO()
    with soundfile.SoundFile(file, "w", 8000, 1, format="FLAC") as flac:
        for _ in range(minutes):
            flac.write(np.zeros(60 * 8000, np.int16))
    return file.getvalue()


def without_length(flac: bytes) -> bytes:
    """Let a FLAC file's header say that its length is unknown: 36 bits of 0."""
    head = bytearray(flac)
    head[21] &= 0xF0
    head[22:26] = bytes(4)
    return bytes(head)


@pytest.mark.parametrize("stream", ["true", "false"])
def test_a_bomb_of_silence_is_refused_by_its_header_or_as_soon_as_it_is_too_long(
    start: Start, stream: str
) -> None:
    server, bomb = start(limits=Limits(audio_seconds=90.0)), silence(minutes=60)
    assert len(bomb) < 150_000
    for content in (bomb, without_length(bomb)):
        reply = server.transcribe(content, stream=stream)
        assert (reply.status, reply.error["code"]) == (413, "audio_too_long")


# of a form that breaks off, Starlette leaves the file to the garbage collector
@pytest.mark.filterwarnings(
    "ignore:Unclosed file", "ignore::pytest.PytestUnraisableExceptionWarning"
)
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 1000,
        f"--{BOUNDARY}--\r\n".encode(),
        f"--{BOUNDARY}\r\n\r\n".encode() * 1000,
        form(b"x") * 2,
        form(b"x", **{f"field{i}": "x" for i in range(MAX_FIELDS + 1)}),
        form(b"x", prompt="x" * (MAX_FIELD_BYTES + 1)),
        form(b"x", model="\0"),
        form(b"x").replace(b"secret.wav", b"\xff\xfe/../../etc/passwd"),
        b"".join(form(b"x")[: -len(BOUNDARY) - 8] for _ in range(50)),
    ],
)
def test_a_form_that_is_none_is_refused(server: Running, content: bytes) -> None:
    reply = server.request("POST", TRANSCRIPTIONS, content, {"Content-Type": FORM})
    assert reply.status in {400, 404}
    assert reply.error["message"]


# see above
@pytest.mark.filterwarnings(
    "ignore:Unclosed file", "ignore::pytest.PytestUnraisableExceptionWarning"
)
@pytest.mark.parametrize(
    "content",
    [
        form(b"x")[:-20],
        form(b"abc").replace(b'; filename="secret.wav"', b""),  # curl -F file=abc
        form(b"x").replace(b'name="file"', b'name="other"'),
    ],
)
def test_a_form_without_a_file_is_told_how_to_send_one(server: Running, content: bytes) -> None:
    reply = server.request("POST", TRANSCRIPTIONS, content, {"Content-Type": FORM})
    assert (reply.status, reply.error["param"]) == (400, "file")
    expected = "file: expected a recording in a complete form, as curl -F file=@talk.mp3 sends it"
    assert reply.error["message"] == expected


@pytest.mark.parametrize(
    "content",
    [
        b"\x16\x03\x01\x02",
        b"GET / HTTP/9\r\n\r\n",
        b"GET /\r\n",
        b"\0" * 100_000,
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: [::\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: \xff\r\n\r\n",
    ],
)
def test_what_is_no_request_gets_no_service(server: Running, content: bytes) -> None:
    answer = b""
    with closing(socket.create_connection(("127.0.0.1", server.port), timeout=60)) as client:
        try:
            client.sendall(content)
            client.shutdown(socket.SHUT_WR)
            answer = client.recv(100)
        except OSError as error:
            if error.errno not in {errno.EPIPE, errno.ECONNRESET, errno.ENOTCONN}:
                raise  # else it hung up before we were done
    assert answer[9:10] in {b"", b"4"}


def test_uploads_that_are_cut_off_leave_nothing(server: Running) -> None:
    for _ in range(50):
        with closing(HTTPConnection("127.0.0.1", server.port)) as client:
            client.putrequest("POST", TRANSCRIPTIONS)
            client.putheader("Content-Type", FORM)
            client.putheader("Content-Length", "100000000")
            client.endheaders()
            client.send(form(bytes(100_000))[:-40])


@pytest.mark.parametrize("n", [100, pytest.param(2_000, marks=pytest.mark.slow)])
def test_many_tiny_requests_are_all_answered(start: Start, n: int) -> None:
    server = start(limits=Limits(requests=4))
    statuses = set()
    with closing(HTTPConnection("127.0.0.1", server.port, timeout=60)) as client:
        for _ in range(n):
            client.request("POST", TRANSCRIPTIONS, form(b"x"), {"Content-Type": FORM})
            with client.getresponse() as answer:
                answer.read()
            statuses.add(answer.status)
    assert statuses == {400}
    assert until(lambda: server.counted(400) == n)


def test_many_at_once_are_answered_or_told_to_come_again(start: Start) -> None:
    server = start(limits=Limits(requests=4))
    content = form(SPEECH.read_bytes())
    clients = [HTTPConnection("127.0.0.1", server.port, timeout=60) for _ in range(40)]
    for client in clients:
        client.putrequest("POST", TRANSCRIPTIONS)
        client.putheader("Content-Type", FORM)
        client.putheader("Content-Length", str(len(content)))
        client.endheaders(content[:1000])

    def answered() -> list[HTTPConnection]:
        ready, _, _ = select([client.sock for client in clients], [], [], 0)
        return [client for client in clients if client.sock in ready]

    assert until(lambda: len(answered()) == 36)
    refused = answered()
    for client in clients:
        if client not in refused:
            client.send(content[1000:])
    statuses = [client.getresponse().status for client in clients]
    for client in clients:
        client.close()
    assert Counter(statuses) == {200: 4, 503: 36}
