import bz2
import gzip
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


@pytest.mark.parametrize("suffix", [".gz", ".xz", ".bz2"])
@pytest.mark.parametrize("how", ["cut", "other"])
def test_a_file_that_cannot_be_unpacked_is_named(suffix: str, how: str, tmp_path: Path) -> None:
    path = tmp_path / f"text{suffix}"
    whole = PACKERS[suffix](TEXT.encode())
    path.write_bytes(whole[: len(whole) // 2] if how == "cut" else TEXT.encode())
    with pytest.raises(DataError, match=rf"text\{suffix}: cannot be read: \S"):
        list(read_lines(path))
