"""Where in a file the samples lie, told by its own bytes, and what is odd or missing there.

Decoders are lenient and stop early: a WAV file that was cut in half plays as a shorter recording,
joined MP3 files play as the first of them, and the transcript would silently lack the rest. The
container tells. A walk over it finds each part that a decoder must read on its own, and corrects
the header of a part that says less than is there.
"""

import io
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import BinaryIO

BLOCK_BYTES = 1 << 20  # to search at once
HEAD_BYTES = 16  # of what is found; no pattern is longer


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes `start` to `end` of a file."""

    start: int
    end: int

    def __len__(self) -> int:
        return self.end - self.start


# What a decoder reads in place of the file: spans of it and, for headers, corrected bytes.
Part = tuple[Span | bytes, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """What a walk over a file's container found.

    Attributes:
        parts: The recordings joined in this file, in order.
        notes: What is odd, and what was made of it; each the end of a sentence about the file.
        is_walked: Its container is known, so that a missing end would have been noticed.
    """

    parts: tuple[Part, ...]
    notes: tuple[str, ...] = ()
    is_walked: bool = True


class DecodingError(Exception):
    """A file is incomplete or damaged; the message is the end of a sentence about it."""


class View(io.RawIOBase):
    """A part of a file as a file of its own, for a decoder.

    A decoder written in C cannot pass on an exception, so one is kept in `error`, and the decoder
    finds the end of the file instead.
    """

    def __init__(self, file: BinaryIO, part: Part) -> None:
        super().__init__()
        self._file, self._part = file, part
        self._starts: Sequence[int] = [0, *accumulate(len(piece) for piece in part)]
        self._position = 0
        self.error: OSError | None = None

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a position, which may lie beyond the end but not before the start."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._starts[-1]}[whence]
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fill a buffer; return the number of bytes, smaller only at the end."""
        n_wanted, n_read = min(len(buffer), self._starts[-1] - self._position), 0
        while n_read < n_wanted and (piece := self._read_piece(n_wanted - n_read)):
            buffer[n_read : n_read + len(piece)] = piece
            n_read += len(piece)
            self._position += len(piece)
        return n_read

    def _read_piece(self, n_wanted: int) -> bytes:
        index = bisect_right(self._starts, self._position) - 1
        piece, offset = self._part[index], self._position - self._starts[index]
        n_wanted = min(n_wanted, len(piece) - offset)
        if isinstance(piece, bytes):
            return piece[offset : offset + n_wanted]
        try:
            return read_at(self._file, piece.start + offset, n_wanted)
        except OSError as error:
            self.error = error
            return b""


def read_at(file: BinaryIO, position: int, n_bytes: int) -> bytes:
    """Read the bytes at a position; fewer at the end of the file."""
    file.seek(position)
    return file.read(n_bytes)


def find(
    file: BinaryIO, pattern: re.Pattern[bytes], start: int, end: int
) -> Iterator[tuple[int, bytes]]:
    """Find a pattern between two positions; yield where it begins, and the bytes from there on."""
    for position in range(start, end, BLOCK_BYTES):
        block = read_at(file, position, min(BLOCK_BYTES + HEAD_BYTES, end - position))
        for found in pattern.finditer(block):
            if found.start() < BLOCK_BYTES:
                yield position + found.start(), block[found.start() :][:HEAD_BYTES]


def check_size(n_promised: int, n_present: int) -> None:
    """Refuse a file with fewer bytes of samples than its header promises.

    Raises:
        DecodingError: It has fewer.
    """
    if n_promised > n_present:
        n_there = max(0, n_present)
        raise DecodingError(
            f"its header promises {n_promised} bytes of samples, {n_there} are there"
        )


def skip_id3(file: BinaryIO, position: int) -> int:
    """Find the position after the ID3v2 tag that may lie here.

    References:
        id3.org, "ID3v2.4.0", 2000, section 3.1.
    """
    header = read_at(file, position, 10)
    if len(header) < 10 or header[:3] != b"ID3":
        return position
    size = 0
    for byte in header[6:]:  # seven bits each
        size = size << 7 | byte & 0x7F
    has_footer = bool(header[5] & 0x10)
    return position + 10 + size + 10 * has_footer
