"""Segments: the lines of text files, plain or compressed."""

import bz2
import gzip
import io
import lzma
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, BinaryIO

from asr.errors import DataError

HELD_OUT = 3000  # segments
STANDARD_INPUT = Path("-")

Packed = BinaryIO | gzip.GzipFile | lzma.LZMAFile | bz2.BZ2File
Progress = Callable[[int], None]  # takes the number of bytes read since the last call

_BOM = b"\xef\xbb\xbf"
_OPENERS: dict[bytes, Callable[[Any], Any]] = {  # by the first bytes of a file
    b"\x1f\x8b": gzip.open,
    b"\xfd7zXZ\0": lzma.open,
    b"BZh": bz2.open,
}
_BUFFER = 1 << 18


def _ignore(n_bytes: int) -> None:
    pass


@contextmanager
def unpacked(path: Path, progress: Progress = _ignore) -> Iterator[BinaryIO]:
    """Open a text for reading, `-` for standard input; a byte order mark is skipped.

    What gzip, xz or bzip2 compressed is decompressed; its first bytes tell, not its name.

    Args:
        path: The file.
        progress: Called as the file itself is read; not for standard input.

    Raises:
        DataError: The file cannot be read or decompressed.
    """
    try:
        with _open(path, progress) as raw:
            start = raw.peek(8)
            matching = (open_ for magic, open_ in _OPENERS.items() if start.startswith(magic))
            with next(matching, nullcontext)(raw) as file:
                if file.peek(len(_BOM)).startswith(_BOM):
                    file.read(len(_BOM))
                yield file
    except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{path}: cannot be read: {reason}") from error


def _open(path: Path, progress: Progress) -> AbstractContextManager[Any]:
    if path == STANDARD_INPUT:
        return nullcontext(sys.stdin.buffer)
    return io.BufferedReader(_Watched(path, progress), _BUFFER)


class _Watched(io.FileIO):
    """A file that reports how much of it is read."""

    def __init__(self, path: Path, progress: Progress) -> None:
        super().__init__(path)
        self._progress = progress

    def readinto(self, buffer: Any) -> int | None:  # noqa: ANN401 -- as its base
        n_bytes = super().readinto(buffer)
        self._progress(n_bytes or 0)
        return n_bytes


PACKERS: dict[str, Callable[[BinaryIO], Packed]] = {
    ".gz": lambda file: gzip.GzipFile("", "wb", 6, file, mtime=0),
    ".xz": lambda file: lzma.LZMAFile(file, "wb"),  # noqa: SIM115 -- `packed` closes it
    ".bz2": lambda file: bz2.BZ2File(file, "wb"),
}


def packed(file: BinaryIO, suffix: str) -> AbstractContextManager[Packed]:
    """Write compressed to a file if the suffix is .gz, .xz or .bz2; the file itself stays open.

    The same content always gives the same bytes.
    """
    return PACKERS[suffix](file) if suffix in PACKERS else nullcontext(file)


def read_lines(path: Path, progress: Progress = _ignore) -> Iterator[str]:
    """Read a text line by line, each with its line break; see `unpacked`.

    Raises:
        DataError: The file cannot be read or unpacked (the message says how many lines could be),
            or a line (named) is not UTF-8.
    """
    n_lines = 0
    try:
        with unpacked(path, progress) as file:
            for line in file:
                yield line.decode()
                n_lines += 1
    except UnicodeDecodeError as error:
        raise DataError(f"{path}:{n_lines + 1}: is not UTF-8 text: {error.reason}") from error
    except DataError as error:
        if not n_lines:
            raise
        raise DataError(
            f"{error} (after {n_lines:,} lines: get the whole file, or make one of these lines)"
        ) from error


def read_segments(paths: Iterable[Path], progress: Progress = _ignore) -> Iterator[str]:
    """Read the lines of several texts, without empty ones.

    Raises:
        DataError: As `read_lines`.
    """
    for path in paths:
        yield from (line for line in read_lines(path, progress) if not line.isspace())


def hold_out(segments: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """Hold out the end of a text for evaluation: a tenth of it, at most `HELD_OUT` segments.

    Returns:
        The segments to learn from, and those held out, in their order.
    """
    n_left = len(segments) - min(HELD_OUT, len(segments) // 10)
    return segments[:n_left], segments[n_left:]
