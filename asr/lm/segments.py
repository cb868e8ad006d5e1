"""Segments: text files, plain or compressed, line by line."""

import bz2
import gzip
import lzma
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from asr.errors import DataError

_OPEN = {".gz": gzip.open, ".xz": lzma.open, ".bz2": bz2.open}


def open_binary(path: Path) -> BinaryIO:
    """Open a file for reading; what the ending says is compressed (.gz, .xz, .bz2) is unpacked."""
    opener = _OPEN.get(path.suffix, open)
    return opener(path, "rb")  # type: ignore[operator, no-any-return]


def read_lines(path: Path) -> Iterator[str]:
    """Read a text file line by line, each with its line break.

    Raises:
        DataError: The file cannot be read or unpacked, or is not UTF-8; said with the line.
    """
    number = 0
    try:
        with open_binary(path) as file:
            for number, line in enumerate(file, start=1):  # noqa: B007
                yield line.decode()
    except UnicodeDecodeError as error:
        raise DataError(f"{path}:{number}: is not UTF-8 text: {error.reason}") from error
    except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{path}: cannot be read behind line {number}: {reason}") from error


def read_segments(paths: Iterable[Path]) -> Iterator[str]:
    """Read the lines of several files that have a word; empty ones are no segments.

    Raises:
        DataError: As `read_lines`.
    """
    for path in paths:
        for line in read_lines(path):
            if not line.isspace():
                yield line
