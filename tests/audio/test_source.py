"""Recordings come from paths, files, standard input and URLs; folders are searched for them."""

import errno
import io
import os
import subprocess
import sys
import tempfile
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
import pytest
import soundfile

from asr.audio.read import read_waveform
from asr.audio.source import find_recordings
from asr.errors import AudioError

RATE = 16000
ROOT = Path(__file__).parents[2]


@pytest.fixture
def wav() -> bytes:
    file = io.BytesIO()
    noise = 0.1 * np.random.default_rng(0).standard_normal(RATE)
    soundfile.write(file, noise, RATE, format="WAV")
    return file.getvalue()


def test_a_binary_file_is_read_from_its_start(wav: bytes) -> None:
    file = io.BytesIO(wav)
    file.seek(1000)

    assert len(read_waveform(file, sample_rate=RATE)) == RATE
    assert not file.closed


def test_a_file_object_is_named_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"what is this?")

    with path.open("rb") as file, pytest.raises(AudioError, match=f"^{path}: is not audio"):
        read_waveform(file, sample_rate=RATE)


def test_what_cannot_seek_is_read_to_its_end(wav: bytes) -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb", buffering=0) as sink:
        sink.write(wav[:40000])

    with os.fdopen(reading, "rb") as source:
        assert len(read_waveform(source, sample_rate=RATE)) == RATE


def test_without_a_folder_for_a_copy_the_message_says_so_and_not_that_there_is_no_such_file(
    wav: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb", buffering=0) as sink:
        sink.write(wav[:40000])

    told = (
        r"^the recording: cannot be read: No usable temporary directory .* set TMPDIR to a folder"
    )
    with os.fdopen(reading, "rb") as source, pytest.raises(AudioError, match=told):
        read_waveform(source, sample_rate=RATE)


@pytest.mark.parametrize("name", ["a\0b.wav", "\ud800.wav"])
def test_a_name_that_no_file_can_have_is_refused(name: str) -> None:
    with pytest.raises(AudioError, match="no file can have this name"):
        read_waveform(Path(name), sample_rate=RATE)


@pytest.mark.parametrize("is_pipe", [True, False])
def test_standard_input_is_a_dash(tmp_path: Path, wav: bytes, is_pipe: bool) -> None:
    code = (
        "from asr.audio.read import read_waveform; from pathlib import Path;"
        f"print(len(read_waveform(Path('-'), sample_rate={RATE})))"
    )
    path = tmp_path / "a.wav"
    path.write_bytes(wav)
    command = [sys.executable, "-c", code]
    with path.open("rb") as file:
        if is_pipe:
            output = subprocess.run(command, check=True, input=wav, stdout=-1, cwd=ROOT).stdout
        else:
            output = subprocess.run(command, check=True, stdin=file, stdout=-1, cwd=ROOT).stdout

    assert int(output) == RATE


def test_a_terminal_is_no_recording(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)

    with pytest.raises(AudioError, match=r"^standard input: is a terminal; pipe a recording"):
        read_waveform("-", sample_rate=RATE)


def test_a_url_is_read(tmp_path: Path, wav: bytes) -> None:
    fsspec = pytest.importorskip("fsspec")
    (tmp_path / "a.wav").write_bytes(wav)
    with fsspec.open("memory://folder/b.wav", "wb") as file:
        file.write(wav)

    assert len(read_waveform(f"file://{tmp_path}/a.wav", sample_rate=RATE)) == RATE
    assert len(read_waveform("memory://folder/b.wav", sample_rate=RATE)) == RATE


def test_a_recording_is_read_over_http(tmp_path: Path, wav: bytes) -> None:
    pytest.importorskip("fsspec")
    pytest.importorskip("aiohttp")
    (tmp_path / "a.wav").write_bytes(wav)
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/"
        waveform = read_waveform(f"{url}a.wav", sample_rate=RATE)
        with pytest.raises(AudioError, match=f"^{url}no.wav: no such file"):
            read_waveform(f"{url}no.wav", sample_rate=RATE)
        server.shutdown()

    assert len(waveform) == RATE


class _Hostile(BaseHTTPRequestHandler):
    """A server that refuses /refused.wav, and sends more of all else than it promised."""

    def log_message(self, *_: object) -> None: ...

    def do_HEAD(self) -> None:
        self.send_response(401 if self.path == "/refused.wav" else 200)
        self.send_header("Content-Length", "100")
        self.end_headers()

    def do_GET(self) -> None:
        self.do_HEAD()
        self.wfile.write(bytes(100 if self.path == "/refused.wav" else 100_000))


def test_a_server_that_fails_is_no_missing_file_and_its_content_no_message() -> None:
    pytest.importorskip("fsspec")
    pytest.importorskip("aiohttp")
    with ThreadingHTTPServer(("127.0.0.1", 0), _Hostile) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/"
        with pytest.raises(AudioError, match=f"^{url}refused.wav: cannot be fetched: 401"):
            read_waveform(f"{url}refused.wav", sample_rate=RATE)
        with pytest.raises(AudioError, match=f"^{url}a.wav: ") as told:
            read_waveform(f"{url}a.wav", sample_rate=RATE)
        server.shutdown()
    assert len(str(told.value)) < 400

    with pytest.raises(AudioError, match=f"^{url}a.wav: cannot be fetched: Cannot connect"):
        read_waveform(f"{url}a.wav", sample_rate=RATE)


def test_an_error_of_a_stores_own_is_refused_by_name_and_its_message_cut(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    memory = pytest.importorskip("fsspec.implementations.memory")

    def fail(*_: object, **__: object) -> None:
        # as of botocore: no OSError
        raise RuntimeError("unexpected: " + "\\x00 " * 100_000 + "\nmore")

    monkeypatch.setattr(memory.MemoryFileSystem, "_open", fail)

    with pytest.raises(AudioError, match=r"^memory://a\.wav: cannot be fetched: unexp") as told:
        read_waveform("memory://a.wav", sample_rate=RATE)
    assert len(str(told.value)) < 300


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        (FileNotFoundError("the list"), "no such file"),
        (RuntimeError("the server failed"), "cannot be fetched: the server failed"),
        (ConnectionRefusedError("nobody listens"), "cannot be fetched: nobody listens"),
    ],
)
def test_fsspecs_missing_files_have_their_true_reasons(
    monkeypatch: pytest.MonkeyPatch, reason: Exception, message: str
) -> None:
    memory = pytest.importorskip("fsspec.implementations.memory")

    def fail(*_: object, **__: object) -> None:
        raise FileNotFoundError("memory://a.wav") from reason

    monkeypatch.setattr(memory.MemoryFileSystem, "_open", fail)

    with pytest.raises(AudioError, match=rf"^memory://a\.wav: {message}$"):
        read_waveform("memory://a.wav", sample_rate=RATE)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("memory://no.wav", "no such file"),
        ("no-such-protocol://a.wav", "is no URL that fsspec knows: Protocol not known"),
    ],
)
def test_a_url_that_cannot_be_read_is_refused_by_name(url: str, message: str) -> None:
    pytest.importorskip("fsspec")

    with pytest.raises(AudioError, match=f"^{url}: {message}"):
        read_waveform(url, sample_rate=RATE)


def test_a_file_without_a_name_is_called_the_recording() -> None:
    with tempfile.TemporaryFile() as number, tempfile.SpooledTemporaryFile() as none:
        for file in (number, none, io.BytesIO()):
            with pytest.raises(AudioError, match=r"^the recording: is empty"):
                read_waveform(cast(BinaryIO, file), sample_rate=RATE)


def test_without_fsspec_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)

    with pytest.raises(AudioError, match=r"s3://a/b.wav: .* pip install 'asr-ctc\[cloud\]'"):
        read_waveform("s3://a/b.wav", sample_rate=RATE)


def test_a_folder_is_searched_to_its_depths(tmp_path: Path) -> None:
    names = ["b.WAV", "a.mp3", "c/d/e.opus", "c/f.m4a", "g.txt", ".hidden.wav", ".git/h.wav"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "folder.wav").mkdir()

    found = [path.relative_to(tmp_path).as_posix() for path in find_recordings(tmp_path)]

    assert found == ["a.mp3", "b.WAV", "c/f.m4a", "c/d/e.opus"]


def test_links_that_lead_nowhere_are_found_and_those_to_what_is_no_file_are_not(
    tmp_path: Path,
) -> None:
    (tmp_path / "good.wav").touch()
    links = {"dangling": "gone", "loop": "loop.wav", "link": "good.wav", "folder": "."}
    for name, target in links.items():
        (tmp_path / f"{name}.wav").symlink_to(target)
    os.mkfifo(tmp_path / "pipe.wav")

    found = [path.stem for path in find_recordings(tmp_path)]

    assert found == ["dangling", "good", "link", "loop"]


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="none: cannot be read: No such file"):
        next(find_recordings(tmp_path / "none"))
