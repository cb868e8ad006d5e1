"""Segments: the lines of text files, plain or compressed."""

import bz2
import gzip
import lzma
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import BinaryIO

from asr.errors import DataError

HELD_OUT = 3000  # segments

Packed = BinaryIO | gzip.GzipFile | lzma.LZMAFile | bz2.BZ2File

OPENERS = {".gz": gzip.open, ".xz": lzma.open, ".bz2": bz2.open}


@contextmanager
def unpacked(path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading, decompressed if its name ends in .gz, .xz or .bz2.

    Raises:
        DataError: The file cannot be read or decompressed.
    """
    try:
        with OPENERS.get(path.suffix, open)(path, "rb") as file:  # type: ignore[operator]
            yield file
    except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{path}: cannot be read: {reason}") from error


def packed(file: BinaryIO, suffix: str) -> AbstractContextManager[Packed]:
    """Write compressed to a file if the suffix is .gz, .xz or .bz2; the file itself stays open.

    The same content always gives the same bytes.
    """
    if suffix == ".gz":
        return gzip.GzipFile("", "wb", 6, file, mtime=0)
    if suffix == ".xz":
        return lzma.LZMAFile(file, "wb")
    if suffix == ".bz2":
        return bz2.BZ2File(file, "wb")
    return nullcontext(file)


def read_lines(path: Path) -> Iterator[str]:
    """Read a text file line by line, each with its line break; a byte order mark is dropped.

    Raises:
        DataError: The file cannot be read or unpacked, or a line (named) is not UTF-8.
    """
    with unpacked(path) as file:
        for number, line in enumerate(file, start=1):
            try:
                yield line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                raise DataError(f"{path}:{number}: is not UTF-8 text: {error.reason}") from error


def read_segments(paths: Iterable[Path]) -> Iterator[str]:
    """Read the lines of several files, without empty ones.

    Raises:
        DataError: As `read_lines`.
    """
    for path in paths:
        yield from (line for line in read_lines(path) if not line.isspace())


def hold_out(segments: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """Hold out the end of a text for evaluation: a tenth of it, at most `HELD_OUT` segments.

    Returns:
        The segments to learn from, and those held out, in their order.
    """
    n_left = len(segments) - min(HELD_OUT, len(segments) // 10)
    return segments[:n_left], segments[n_left:]
