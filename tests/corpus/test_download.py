"""Archives arrive whole and checked, over a connection that breaks, or not at all.

A server on this machine plays OpenSLR and every way in which it can fail.
"""

import contextlib
import hashlib
import io
import re
import socket
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

import asr.corpus.download
from asr.corpus.download import OPENSLR, Archive, download
from asr.errors import AsrError, DownloadError

SUBSET = "LibriSpeech/dev-tiny"
FILES = {
    f"{SUBSET}/1/2/1-2.trans.txt": b"1-2-0 WORDS\n",
    f"{SUBSET}/1/2/1-2-0.flac": np.random.default_rng(0).bytes(300_000),
    "LibriSpeech/SPEAKERS.TXT": b"1 | F\n",
}


def pack(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()


CONTENT = pack(FILES)


@dataclass
class Server:
    """What the server sends, how it misbehaves, and what it was asked for.

    Attributes:
        content: The archive.
        cut_after: For each answer in turn, the bytes after which the connection breaks.
        has_ranges: Whether it can go on in the middle.
        has_length: Whether it says how much will come.
        status: What it answers instead, if not 0.
        ranges: The Range header of each request.
    """

    url: str = ""
    content: bytes = CONTENT
    cut_after: list[int] = field(default_factory=list)
    has_ranges: bool = True
    has_length: bool = True
    status: int = 0
    ranges: list[str | None] = field(default_factory=list)


@pytest.fixture
def server() -> Iterator[Server]:
    behaviour = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            behaviour.ranges.append(self.headers["Range"])
            asked = self.headers["Range"] if behaviour.has_ranges else None
            start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
            if (
                behaviour.status
                or start > len(behaviour.content)
                or (asked and start == len(behaviour.content))
            ):
                self.send_error(behaviour.status or 416)
                return
            rest = behaviour.content[start:]
            self.send_response(206 if asked else 200)
            if behaviour.has_length:
                self.send_header("Content-Length", str(len(rest)))
            self.end_headers()
            n_sent = behaviour.cut_after.pop(0) if behaviour.cut_after else len(rest)
            with contextlib.suppress(OSError):  # the other side may have gone
                self.wfile.write(rest[:n_sent])
                self.connection.shutdown(socket.SHUT_RDWR)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        behaviour.url = f"http://127.0.0.1:{httpd.server_port}/dev-tiny.tar.gz"
        yield behaviour
        httpd.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asr.corpus.download, "BLOCK_BYTES", 10_000)


def archive(server: Server, content: bytes = CONTENT) -> Archive:
    """The archive as its publisher describes it."""
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    return Archive(server.url, len(content), md5, SUBSET)


def found(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def refusal(archive: Archive, into: Path) -> str:
    with pytest.raises(DownloadError, match=f"^{re.escape(archive.url)}: ") as caught:
        download(archive, into)
    assert isinstance(caught.value, AsrError)
    assert isinstance(caught.value, OSError)
    return str(caught.value).removeprefix(f"{archive.url}: ")


# All well


def test_an_archive_arrives_with_its_companions_and_nothing_is_left_over(
    server: Server, tmp_path: Path
) -> None:
    folder = download(archive(server), tmp_path / "corpora")

    assert folder == tmp_path / "corpora" / SUBSET
    assert found(tmp_path / "corpora") == FILES
    assert sorted(path.name for path in (tmp_path / "corpora").iterdir()) == ["LibriSpeech"]


def test_a_python_that_cannot_unpack_safely_is_refused_before_anything_is_fetched(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(tarfile, "data_filter")

    assert "use 3.11.4 or later" in refusal(archive(server), tmp_path / "corpora")
    assert server.ranges == []
    assert not (tmp_path / "corpora").exists()


def test_what_is_there_is_not_fetched_again(server: Server, tmp_path: Path) -> None:
    download(archive(server), tmp_path)
    download(archive(server), str(tmp_path))

    assert len(server.ranges) == 1


def test_a_second_subset_joins_the_first(server: Server, tmp_path: Path) -> None:
    download(archive(server), tmp_path)
    server.content = pack({"LibriSpeech/other/1.txt": b"1", "LibriSpeech/SPEAKERS.TXT": b"new"})

    download(replace(archive(server, server.content), folder="LibriSpeech/other"), tmp_path)

    assert found(tmp_path) == {
        **FILES,
        "LibriSpeech/other/1.txt": b"1",
        "LibriSpeech/SPEAKERS.TXT": b"new",
    }


def test_progress_counts_up_to_the_size(server: Server, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []

    download(archive(server), tmp_path, progress=lambda done, total: seen.append((done, total)))

    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert {total for _, total in seen} == {len(CONTENT)}
    assert seen[-1] == (len(CONTENT), len(CONTENT))


def test_the_server_need_not_announce_a_length(server: Server, tmp_path: Path) -> None:
    server.has_length = False

    download(archive(server), tmp_path)

    assert found(tmp_path) == FILES


@pytest.mark.parametrize("has_sum", [True, False])
def test_a_file_that_is_no_archive_arrives_as_it_is(
    has_sum: bool, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(tarfile, "data_filter")  # which it does without
    server.cut_after = [100_000]
    md5 = archive(server).md5 if has_sum else ""
    model = Archive(server.url.replace("dev-tiny.tar", "model"), len(CONTENT), md5, "lm/model.gz")

    assert download(model, tmp_path) == tmp_path / "lm" / "model.gz"
    download(model, tmp_path)

    assert found(tmp_path) == {"lm/model.gz": CONTENT}
    assert server.ranges == [None, "bytes=100000-"]


def test_a_file_of_another_size_is_refused_though_no_sum_is_published(
    server: Server, tmp_path: Path
) -> None:
    server.has_length = False
    model = Archive(server.url.replace(".tar", ""), len(CONTENT) + 1, "", "lm/model.gz")

    assert "were published" in refusal(model, tmp_path)
    assert found(tmp_path) == {}


# Connections that break


def test_a_broken_connection_is_taken_up_where_it_broke(server: Server, tmp_path: Path) -> None:
    server.cut_after = [100_000, 50_000]

    download(archive(server), tmp_path)

    assert found(tmp_path) == FILES
    assert server.ranges == [None, "bytes=100000-", "bytes=150000-"]


def test_a_later_run_goes_on_where_an_earlier_one_stopped(server: Server, tmp_path: Path) -> None:
    server.cut_after = [100_000, 0]
    assert "after 100000 bytes; try again later" in refusal(archive(server), tmp_path)
    assert found(tmp_path) == {"dev-tiny.tar.gz.part": CONTENT[:100_000]}

    download(archive(server), tmp_path)

    assert found(tmp_path) == FILES
    assert server.ranges[-1] == "bytes=100000-"


def test_progress_goes_on_where_an_earlier_run_stopped(server: Server, tmp_path: Path) -> None:
    (tmp_path / "dev-tiny.tar.gz.part").write_bytes(CONTENT[:100_000])
    seen: list[tuple[int, int]] = []

    download(archive(server), tmp_path, progress=lambda done, total: seen.append((done, total)))

    assert seen[0][0] > 100_000
    assert seen[-1] == (len(CONTENT), len(CONTENT))


def test_a_server_that_cannot_go_on_in_the_middle_starts_again(
    server: Server, tmp_path: Path
) -> None:
    server.has_ranges = False
    (tmp_path / "dev-tiny.tar.gz.part").write_bytes(CONTENT[:100_000])

    download(archive(server), tmp_path)

    assert found(tmp_path) == FILES


def test_an_archive_that_was_fetched_but_not_unpacked_is_not_fetched_again(
    server: Server, tmp_path: Path
) -> None:
    (tmp_path / "dev-tiny.tar.gz.part").write_bytes(CONTENT)

    download(archive(server), tmp_path)

    assert found(tmp_path) == FILES
    assert not server.ranges


def test_a_server_with_less_than_was_published_is_refused(server: Server, tmp_path: Path) -> None:
    server.has_length = False
    longer = replace(archive(server), n_bytes=len(CONTENT) + 1)

    assert f"has {len(CONTENT)} bytes, but {len(CONTENT) + 1} were published" in refusal(
        longer, tmp_path
    )
    assert found(tmp_path) == {}


def test_an_interrupted_unpacking_is_done_again(server: Server, tmp_path: Path) -> None:
    (tmp_path / "dev-tiny.tar.gz.part").write_bytes(CONTENT)
    (tmp_path / ".dev-tiny.tar.gz.unpacking" / SUBSET).mkdir(parents=True)
    (tmp_path / ".dev-tiny.tar.gz.unpacking" / SUBSET / "half").write_bytes(b"hal")

    download(archive(server), tmp_path)

    assert found(tmp_path) == FILES


def test_an_interruption_keeps_what_was_fetched(server: Server, tmp_path: Path) -> None:
    def interrupt(done: int, _: int) -> None:
        if done >= 100_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download(archive(server), tmp_path, progress=interrupt)

    kept = found(tmp_path)
    assert list(kept) == ["dev-tiny.tar.gz.part"]
    assert CONTENT.startswith(kept["dev-tiny.tar.gz.part"])
    assert len(kept["dev-tiny.tar.gz.part"]) >= 100_000


# What is refused


@pytest.mark.parametrize(("status", "words"), [(404, "Not Found"), (503, "Service Unavailable")])
def test_a_server_that_refuses_is_quoted(
    server: Server, tmp_path: Path, status: int, words: str
) -> None:
    server.status = status

    message = refusal(archive(server), tmp_path)

    assert f"{status}" in message
    assert words in message


def test_a_server_that_is_not_there_is_said(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        nowhere = Archive(f"http://127.0.0.1:{unused.getsockname()[1]}/a.tar.gz", 9, "0", SUBSET)

        assert "refused" in refusal(nowhere, tmp_path)


def test_a_server_that_sends_nothing_does_not_hold_us_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asr.corpus.download, "TIMEOUT", 0.05)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        mute = Archive(f"http://127.0.0.1:{silent.getsockname()[1]}/a.tar.gz", 9, "0", SUBSET)

        assert "timed out" in refusal(mute, tmp_path)


def test_a_corrupt_archive_is_refused_and_deleted(server: Server, tmp_path: Path) -> None:
    server.content = CONTENT[:5000] + bytes([CONTENT[5000] ^ 1]) + CONTENT[5001:]

    message = refusal(archive(server), tmp_path)

    assert re.match("has the MD5 sum [0-9a-f]{32}, but [0-9a-f]{32} was published", message)
    assert found(tmp_path) == {}


def test_after_a_corrupt_archive_the_next_attempt_starts_afresh(
    server: Server, tmp_path: Path
) -> None:
    server.content = bytes(len(CONTENT))
    refusal(archive(server), tmp_path)
    server.content = CONTENT

    download(archive(server), tmp_path)

    assert found(tmp_path) == FILES


def test_a_corrupt_beginning_is_found_after_resuming(server: Server, tmp_path: Path) -> None:
    (tmp_path / "dev-tiny.tar.gz.part").write_bytes(bytes(100_000))

    assert "has the MD5 sum" in refusal(archive(server), tmp_path)
    assert found(tmp_path) == {}


@pytest.mark.parametrize("n_more", [-1000, 1000])
def test_an_archive_of_another_size_is_refused_before_it_is_fetched(
    server: Server, tmp_path: Path, n_more: int
) -> None:
    server.content = CONTENT[:n_more] if n_more < 0 else CONTENT + bytes(n_more)

    message = refusal(archive(server), tmp_path)

    n_bytes = len(CONTENT)
    assert f"has {n_bytes + n_more} bytes, but {n_bytes} were published" in message
    assert found(tmp_path) == {}


def test_more_than_was_published_is_refused_and_deleted(server: Server, tmp_path: Path) -> None:
    (tmp_path / "dev-tiny.tar.gz.part").write_bytes(CONTENT + b"more")

    assert "were published" in refusal(archive(server), tmp_path)
    assert found(tmp_path) == {}


def test_what_is_no_archive_is_refused(server: Server, tmp_path: Path) -> None:
    server.content = b"<html>log in first</html>"

    assert "cannot be unpacked" in refusal(archive(server, server.content), tmp_path)


def test_an_archive_without_its_folder_is_refused(server: Server, tmp_path: Path) -> None:
    server.content = pack({"LibriSpeech/other/1.txt": b"1"})

    assert f"has no folder {SUBSET}" in refusal(archive(server, server.content), tmp_path)
    assert not (tmp_path / "LibriSpeech" / "other").exists()


@pytest.mark.parametrize("name", ["../evil.txt", "LibriSpeech/../../evil.txt"])
def test_an_archive_that_writes_elsewhere_is_refused(
    server: Server, tmp_path: Path, name: str
) -> None:
    server.content = pack({**FILES, name: b"evil"})
    into = tmp_path / "into"

    assert "cannot be unpacked" in refusal(archive(server, server.content), into)
    assert not (tmp_path / "evil.txt").exists()
    assert not (into / SUBSET).exists()
    assert not list(into.glob(".*"))


# What is published


def test_every_published_archive_is_described_in_full() -> None:
    subsets = {name: archive for name, archive in OPENSLR.items() if archive.is_packed}
    assert len(subsets) == 9
    for name, published in subsets.items():
        corpus, subset = name.split("/")
        number = {"librispeech": 12, "mini_librispeech": 31}[corpus]
        assert published.url == f"https://www.openslr.org/resources/{number}/{subset}.tar.gz"
        assert published.folder == f"LibriSpeech/{subset}"
        assert re.fullmatch("[0-9a-f]{32}", published.md5)
        assert published.n_bytes > 10**8


def test_what_comes_with_librispeech_is_described_by_its_size() -> None:
    files = {name: archive for name, archive in OPENSLR.items() if not archive.is_packed}
    assert len(files) == 6
    for name, published in files.items():
        file = name.removeprefix("librispeech/lm/")
        assert published.url == f"https://www.openslr.org/resources/11/{file}"
        assert published.folder == f"lm/{file}"
        assert published.n_bytes > 10**6
