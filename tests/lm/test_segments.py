import bz2
import gzip
import io
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest

from asr.errors import DataError
from asr.lm.segments import packed, read_lines, read_segments

TEXT = "ÉTAT A B\n\n \t\nC\n"
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    ".txt": bytes,
    ".gz": gzip.compress,
    ".xz": lzma.compress,
    ".bz2": bz2.compress,
}


@pytest.mark.parametrize("suffix", PACKERS)
def test_a_text_is_read_plain_and_compressed_without_empty_lines(
    suffix: str, tmp_path: Path
) -> None:
    path = tmp_path / f"text{suffix}"
    path.write_bytes(PACKERS[suffix](TEXT.encode()))
    assert list(read_segments([path, path])) == ["ÉTAT A B\n", "C\n"] * 2


@pytest.mark.parametrize("suffix", PACKERS)
def test_compression_is_reversible_and_always_gives_the_same_bytes(
    suffix: str, tmp_path: Path
) -> None:
    paths = [tmp_path / f"{name}{suffix}" for name in "ab"]
    for path in paths:
        with path.open("wb") as file, packed(file, suffix) as packer:
            packer.write(TEXT.encode())
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert "".join(read_lines(paths[0])) == TEXT


def test_a_byte_order_mark_is_no_part_of_the_first_word(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_bytes("A\nB\n".encode("utf-8-sig"))
    assert list(read_lines(path)) == ["A\n", "B\n"]


def test_a_line_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_bytes(b"A\nB \xff\n")
    with pytest.raises(DataError, match=r"text:2: is not UTF-8 text"):
        list(read_lines(path))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone\.gz: cannot be read: No such file"):
        list(read_lines(tmp_path / "gone.gz"))


@pytest.mark.parametrize("suffix", PACKERS)
def test_content_tells_how_a_file_was_packed_not_its_name(suffix: str, tmp_path: Path) -> None:
    for other in PACKERS:
        path = tmp_path / f"text{other}"
        path.write_bytes(PACKERS[suffix](TEXT.encode()))
        assert "".join(read_lines(path)) == TEXT


@pytest.mark.parametrize("suffix", [".gz", ".xz", ".bz2"])
def test_a_file_that_cannot_be_unpacked_is_named(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"text{suffix}"
    whole = PACKERS[suffix](TEXT.encode())
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=rf"text\{suffix}: cannot be read: \S"):
        list(read_lines(path))


@pytest.mark.parametrize("suffix", [".gz", ".xz", ".bz2"])
def test_of_a_file_cut_short_all_lines_are_read_and_then_counted(
    suffix: str, tmp_path: Path
) -> None:
    path = tmp_path / f"text{suffix}"
    whole = PACKERS[suffix]("".join(f"{n}\n" for n in range(200_000)).encode())
    path.write_bytes(whole[: len(whole) * 4 // 5])
    lines: list[str] = []
    with pytest.raises(DataError, match="cannot be read: Compressed file ended") as told:
        lines.extend(read_lines(path))  # extends as it reads
    assert len(lines) > 0
    assert f"(after {len(lines):,} lines: get the whole file" in str(told.value)


def test_a_dash_is_standard_input_compressed_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    for pack in PACKERS.values():
        piped = io.TextIOWrapper(io.BufferedReader(io.BytesIO(pack(TEXT.encode()))))
        monkeypatch.setattr("sys.stdin", piped)
        assert list(read_segments([Path("-")])) == ["ÉTAT A B\n", "C\n"]


def test_progress_counts_the_bytes_of_all_files(tmp_path: Path) -> None:
    paths = [tmp_path / "text.xz", tmp_path / "text"]
    paths[0].write_bytes(lzma.compress(TEXT.encode()))
    paths[1].write_bytes(TEXT.encode())
    read: list[int] = []
    list(read_segments(paths, read.append))
    assert sum(read) == sum(path.stat().st_size for path in paths)
