"""asr serve as a process: it starts, tells where, and ends when asked to."""

import argparse
import os
import re
import signal
import socket
import string
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from asr.cli import main, parser
from asr.cli.serve import KEY_VARIABLE, _key
from asr.errors import ConfigError, DataError
from tests.serve.conftest import until

pytest.importorskip("fastapi", reason="needs pip install 'asr-ctc[serve]'")
ROOT = Path(__file__).resolve().parents[2]
SPEECH = ROOT / "recipes" / "demo" / "speech.wav"
FORM = (
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
    + SPEECH.read_bytes()
    + b"\r\n--b--\r\n"
)
Process = subprocess.Popen[bytes]
WITHOUT_TORCH = "import sys; sys.modules['torch'] = None; from asr.cli import main; main()"


@contextmanager
def serving(code: str = WITHOUT_TORCH, **variables: str) -> Iterator[tuple[Process, str, int]]:
    """Start the server; its process, the address that it prints, and its port."""
    command = [sys.executable, "-c", code, "serve", "--port", "0", "--search", "greedy"]
    environment = {**os.environ, **variables}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().decode().split()[1]
        yield process, url, urlsplit(url).port or 0


def n_in_flight(url: str, key: str = "none") -> int:
    """Ask the server how many requests it has begun to read."""
    asked = urllib.request.Request(f"{url}metrics", headers={"Authorization": f"Bearer {key}"})
    with urllib.request.urlopen(asked, timeout=60) as answer:
        (number,) = re.findall(r"^asr_in_flight (\d+)", answer.read().decode(), re.MULTILINE)
    return int(number)


def test_sigterm_lets_it_answer_what_has_begun() -> None:
    with serving(**{KEY_VARIABLE: "the-key"}) as (process, url, port):
        assert urllib.request.urlopen(f"{url}healthz", timeout=60).read() == b"ok\n"
        with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
            client.sendall(
                b"POST /v1/audio/transcriptions HTTP/1.1\r\nHost: localhost\r\n"
                b"Authorization: Bearer the-key\r\n"
                b"Content-Type: multipart/form-data; boundary=b\r\n"
                + f"Content-Length: {len(FORM)}\r\n\r\n".encode()
                + FORM[:1000]
            )
            assert until(lambda: n_in_flight(url, "the-key") == 1)
            process.send_signal(signal.SIGTERM)
            client.sendall(FORM[1000:])
            answer = client.recv(100_000)
        _, told = process.communicate(timeout=60)
    assert answer.startswith(b"HTTP/1.1 200")
    assert process.returncode == -signal.SIGTERM
    assert told.decode().startswith("asr: 200: ")
    assert b"Traceback" not in told


def test_what_is_odd_about_an_upload_is_not_logged() -> None:
    odd = FORM.replace(b"\r\n--b--", b" more bytes than its header says\r\n--b--")
    with serving() as (process, url, _):
        request = urllib.request.Request(
            f"{url}v1/audio/transcriptions",
            odd,
            {"Content-Type": "multipart/form-data; boundary=b"},
        )
        assert b"OLD MAN" in urllib.request.urlopen(request, timeout=60).read()
        process.terminate()
        _, told = process.communicate(timeout=60)
    (line,) = told.decode().splitlines()
    assert line.startswith("asr: 200: ")


def test_after_sigterm_what_lasts_too_long_is_told_so_and_logged() -> None:
    hasty = f"import asr.serve.server as s; s.FAREWELL_SECONDS = 1; {WITHOUT_TORCH}"
    with serving(hasty) as (process, url, port):
        with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
            client.sendall(
                b"POST /v1/audio/transcriptions HTTP/1.1\r\nHost: localhost\r\n"
                b"Content-Type: multipart/form-data; boundary=b\r\n"
                b"Content-Length: 1000000\r\n\r\n" + FORM[:1000]
            )
            assert until(lambda: n_in_flight(url) == 1)
            process.send_signal(signal.SIGTERM)
            answer = b"".join(iter(lambda: client.recv(4096), b""))
        _, told = process.communicate(timeout=60)
    assert answer.startswith(b"HTTP/1.1 503")
    assert b"the server is going down; try again" in answer
    assert told.decode().startswith("asr: 503: 1000 bytes")
    assert b"Traceback" not in told


def test_a_port_that_is_taken_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main(["serve", "--port", str(taken.getsockname()[1])]) == 1
    assert "in use" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "number", "told"),
    [("--port", 65536, "expected 65535 or less"), ("--timeout", 10**400, "expected 2147483647")],
)
def test_a_number_beyond_all_sense_is_refused_with_the_usage(
    option: str, number: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["serve", option, str(number)])
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("https://a.example", "https://a.example"),
        ("HTTPS://A.Example:443/", "https://a.example"),
        ("http://a.example:443", "http://a.example:443"),
        ("http://10.0.0.1:08000", "http://10.0.0.1:8000"),
        ("http://[::1]:80", "http://[::1]"),
    ],
)
def test_an_origin_is_what_browsers_send(given: str, expected: str) -> None:
    assert parser().parse_args(["serve", "--origin", given]).origin == [expected]


@pytest.mark.parametrize(
    "given",
    [
        *("", "*", "a.example", "//a.example", "ftp://a.example", "https://", "https://*.example"),
        *("https://a.example/page", "https://a.example:x", "https://a.example:65536"),
        *("https://me@a.example", "https://a example", "https://[", "https://schön.example"),
    ],
)
def test_what_is_no_origin_is_refused_with_the_usage(
    given: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        parser().parse_args(["serve", "--origin", given])
    told = f"expected an origin such as https://example.org, got {given!r}"
    assert told in capsys.readouterr().err


def test_a_file_of_a_key_that_is_no_text_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "key").write_bytes(b"\xff\xfe")
    assert main(["serve", "--api-key-file", str(tmp_path / "key")]) == 1
    assert f"{tmp_path / 'key'}: is not UTF-8" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["", "\n", "a key", "schön", "Zm9v/2E", "Zm9vYmE="])
def test_a_key_that_cannot_be_sent_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "key").write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match="API key"):
        _key(argparse.Namespace(api_key_file=tmp_path / "key"))


def test_a_key_may_have_every_character_that_a_websocket_can_send(tmp_path: Path) -> None:
    key = f"{string.ascii_letters}{string.digits}!#$%&'*+-.^_`|~"
    (tmp_path / "key").write_text(f"{key}\n")
    assert _key(argparse.Namespace(api_key_file=tmp_path / "key")) == key


def test_the_command_line_takes_no_key_but_the_name_of_its_file(tmp_path: Path) -> None:
    """Every user of a machine can read it there. argparse takes --api-key for --api-key-file."""
    with pytest.raises(DataError, match="No such file"):
        _key(argparse.Namespace(api_key_file=tmp_path / "the-key"))
    assert main(["serve", "--api-key", str(tmp_path / "the-key")]) == 1
