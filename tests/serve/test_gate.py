import http.client
import json
import logging
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from copy import copy
from pathlib import Path
from threading import Thread

import pytest

from asr.recognizer import Recognizer
from asr.serve.gate import Access
from asr.serve.limits import Limits
from tests.serve.conftest import (
    BOUNDARY,
    FORM,
    SECONDS,
    SPEECH,
    TRANSCRIPTIONS,
    Reply,
    Running,
    Start,
    form,
    until,
)


@pytest.fixture(scope="module")
def guarded(start: Start) -> Running:
    return start(access=Access("the-key", hosts=None, origins=frozenset({"https://a.example"})))


@pytest.fixture(scope="module")
def narrow(start: Start) -> Running:
    """A server with little room."""
    return start(limits=Limits(upload_bytes=200_000, audio_seconds=5.0, requests=1))


def test_without_a_key_only_this_machine_is_served(server: Running) -> None:
    assert server.get("/healthz", Host="localhost:8000").status == 200
    assert server.get("/healthz", Host="[::1]").status == 200
    assert server.get("/healthz", Host="rebound.example").error["code"] == "unknown_host"


def test_a_host_that_is_none_is_refused_whatever_the_origins_are(start: Start) -> None:
    server = start(access=Access(origins=frozenset({"no origin", "https://a.example"})))
    assert server.get("/healthz", Host="a.example").status == 200
    for host in ("[", "", "no origin"):
        assert server.get("/healthz", Host=host).error["code"] == "unknown_host"


def test_pages_of_others_may_not_use_the_server(server: Running) -> None:
    own = f"http://127.0.0.1:{server.port}"
    assert server.get("/v1/models", Origin=own).status == 200
    refused = server.get("/v1/models", Origin="https://a.example")
    assert (refused.status, refused.error["code"]) == (403, "unknown_origin")
    assert "access-control-allow-origin" not in refused.headers


def test_pages_that_are_named_may_use_the_server(guarded: Running) -> None:
    key = {"Authorization": "Bearer the-key", "Origin": "https://a.example"}
    assert guarded.get("/v1/models", **key).headers["access-control-allow-origin"] == key["Origin"]


@pytest.mark.parametrize(
    "header", ["", "Bearer ", "Bearer the-ke", "Bearer the-key2", "the-key", "Bearer sch\xf6n"]
)
def test_without_the_key_nothing_is_read(guarded: Running, header: str) -> None:
    headers = {"Authorization": header, "Content-Type": FORM, "Content-Length": "1000000"}
    reply = guarded.request("POST", TRANSCRIPTIONS, None, headers)
    assert (reply.status, reply.error["code"]) == (401, "invalid_api_key")
    assert reply.headers["www-authenticate"] == "Bearer"


def test_the_word_before_a_key_is_of_any_case(guarded: Running) -> None:
    for word in ("Bearer", "bearer", "BEARER"):
        assert guarded.get("/v1/models", Authorization=f"{word} the-key").status == 200


def test_the_page_and_health_need_no_key(guarded: Running) -> None:
    for path in ("/", "/page.js", "/page.css", "/recorder.js", "/healthz"):
        assert guarded.get(path).status == 200
    assert guarded.get("/metrics").status == 401
    assert guarded.get("/v1/models", Authorization="Bearer the-key").status == 200


def test_an_image_asks_its_own_server_for_its_health_whatever_proxy_is_set(server: Running) -> None:
    """As Docker does in every container, if its client is configured to."""
    dockerfile = (Path(__file__).parents[2] / "Dockerfile").read_text(encoding="utf-8")
    (check,) = re.findall(r"^HEALTHCHECK CMD (\[.*\])$", dockerfile, re.MULTILINE)
    _, *words = json.loads(check.replace("8000", f"{server.port}"))
    environment = {**os.environ, "http_proxy": f"http://127.0.0.1:{server.port}/nowhere"}
    ended = subprocess.run([sys.executable, *words], check=False, env=environment, timeout=60)
    assert ended.returncode == 0


def test_a_file_that_is_too_large_is_refused(narrow: Running) -> None:
    reply = narrow.transcribe(bytes(200_001))
    assert (reply.status, reply.error["code"]) == (413, "file_too_large")


def test_a_file_that_is_announced_too_large_is_refused_before_it_is_sent(narrow: Running) -> None:
    """As curl asks; what is sent in vain can cost the client the answer, by a reset."""
    head = f"POST {TRANSCRIPTIONS} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {FORM}\r\n"
    with socket.create_connection(("127.0.0.1", narrow.port), timeout=10) as client:
        client.sendall(f"{head}Content-Length: 200001\r\nExpect: 100-continue\r\n\r\n".encode())
        answer = b"".join(iter(lambda: client.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"compress the recording" in answer


def test_an_endless_upload_is_refused(narrow: Running) -> None:
    """Its size is not announced: chunks keep coming."""

    def chunks() -> Iterator[bytes]:
        yield form(b"").removesuffix(f"\r\n--{BOUNDARY}--\r\n".encode())
        while True:
            yield bytes(10_000)

    before = narrow.counted(413)
    try:
        status = narrow.request("POST", TRANSCRIPTIONS, chunks(), {"Content-Type": FORM}).status
    except (BrokenPipeError, ConnectionResetError):  # it hung up before we were done
        status = 413
    assert status == 413
    assert until(lambda: narrow.metric("asr_in_flight") == 0)
    assert until(lambda: narrow.counted(413) > before)


def test_a_slow_upload_is_refused(start: Start) -> None:
    impatient = start(limits=Limits(seconds=0.2))
    with closing(_begun(impatient)) as client:
        answer = client.getresponse()
        assert answer.status == 408


def test_more_requests_than_fit_are_told_to_come_again(start: Start) -> None:
    server = start(limits=Limits(requests=1))
    with closing(_begun(server)):
        assert until(lambda: server.metric("asr_in_flight") == 1)
        reply = server.transcribe(SPEECH.read_bytes())
    assert (reply.status, reply.error["code"]) == (503, "overloaded")
    assert int(reply.headers["retry-after"]) > 0
    assert until(lambda: server.metric("asr_in_flight") == 0)
    assert server.transcribe(b"no audio").error["code"] == "invalid_audio"


@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded", "", "x"])
def test_only_forms_are_read(server: Running, kind: str) -> None:
    reply = server.request("POST", TRANSCRIPTIONS, b"file=1", {"Content-Type": kind})
    assert reply.status == 415


def test_the_kind_of_a_form_is_written_in_any_case(server: Running) -> None:
    kind = f"Multipart/Form-Data; boundary={BOUNDARY}"
    content = form(SPEECH.read_bytes())
    assert server.request("POST", TRANSCRIPTIONS, content, {"Content-Type": kind}).status == 200


def test_every_answer_forbids_what_the_page_does_not_need(server: Running) -> None:
    replies: list[Reply] = [server.get("/"), server.get("/nowhere"), server.get("/healthz")]
    for reply in replies:
        policy = reply.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert reply.headers["x-content-type-options"] == "nosniff"


def told_by_asr(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name.startswith("asr.")]


def test_nothing_of_a_request_is_logged_but_its_numbers(
    server: Running, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        server.transcribe(SPEECH.read_bytes(), prompt="private")
        server.transcribe(b"private")
        server.request("GET", f"{TRANSCRIPTIONS}?q=private")
        assert until(lambda: len(told_by_asr(caplog)) == 3)
    told = told_by_asr(caplog)
    assert f"{SECONDS:.1f} s of audio" in told[0]
    assert not any(word in caplog.text for word in ("private", "secret", "127.0.0.1"))


def test_no_library_logs_what_a_form_says(
    server: Running, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        private = f"--{BOUNDARY}private\r\n\r\n".encode()
        reply = server.request("POST", TRANSCRIPTIONS, private, {"Content-Type": FORM})
        assert reply.status == 400
    told = [record for record in caplog.records if record.name.startswith("python_multipart")]
    assert told == []


class _Broken:
    """An engine with a bug, whose message quotes what it was given."""

    sample_rate, heads = 16000, {"text": 2, "phones": 2}

    def log_probs(self, waveforms: object, lengths: object, head: str) -> None:
        raise RuntimeError(f"private {waveforms} {lengths} {head}")


@pytest.mark.parametrize("stream", ["true", "false"])
def test_a_bug_is_answered_and_logged_without_what_it_says(
    start: Start, recognizer: Recognizer, caplog: pytest.LogCaptureFixture, stream: str
) -> None:
    broken = copy(recognizer)
    broken.engine = _Broken()  # type: ignore[assignment]
    server = start(recognizer=broken)
    for _ in range(2):
        reply = server.transcribe(SPEECH.read_bytes(), stream=stream)
        assert (reply.status, reply.error["type"]) == (500, "server_error")
    assert "RuntimeError in " in caplog.text
    assert "private" not in caplog.text
    assert until(lambda: server.counted(500) == 2)


def test_whoever_goes_away_leaves_no_work(server: Running) -> None:
    def leave() -> None:
        with closing(_begun(server)) as client:
            client.send(b"x")

    threads = [Thread(target=leave) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert until(lambda: server.metric("asr_in_flight") == 0)


def _begun(server: Running) -> http.client.HTTPConnection:
    """Begin an upload."""
    client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    client.putrequest("POST", TRANSCRIPTIONS)
    client.putheader("Content-Type", FORM)
    client.putheader("Content-Length", "100000")
    client.endheaders()
    client.send(form(b"")[:-30])
    return client
