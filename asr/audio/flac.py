"""FLAC: a header that gives the number of samples, then frames that are numbered.

References:
    RFC 9639, sections 8 and 9.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import BinaryIO

from asr.audio.layout import HEAD_BYTES, DecodingError, Layout, Part, Span, find, read_at

STREAM_INFO_BYTES = 42  # the magic, a block header, and the block that always comes first
MAGIC = re.compile(rb"fLaC[\x00\x80]\x00\x00\x22")
SYNC = re.compile(rb"\xff[\xf8\xf9]")
TOTAL_BITS = 36  # of the number of samples
BLOCK_SIZES = {1: 192, **{n: 144 << n for n in range(2, 6)}, **{n: 1 << n for n in range(8, 16)}}


def _crc8_of(byte: int) -> int:
    for _ in range(8):
        byte = byte << 1 ^ (0x107 if byte & 0x80 else 0)
    return byte


CRC8 = tuple(_crc8_of(byte) for byte in range(256))


@dataclass(frozen=True, slots=True)
class _Frame:
    first_sample: int
    n_samples: int

    @property
    def end(self) -> int:
        """The first sample after it."""
        return self.first_sample + self.n_samples


def walk_flac(file: BinaryIO, start: int, n_bytes: int) -> Layout:
    """Find every stream that begins in the file, and follow its frames' numbers to their end."""
    starts = [start, *(position for position, _ in find(file, MAGIC, start + 8, n_bytes))]
    parts: list[Part] = []
    notes: list[str] = []
    for begin, end in pairwise([*starts, n_bytes]):
        header = bytearray(read_at(file, begin, STREAM_INFO_BYTES))
        if len(header) < STREAM_INFO_BYTES:
            raise DecodingError("it ends in its header")
        first: _Frame | None = None
        n_there = 0
        for frame in _frames(file, begin, end):
            first = first or frame
            if frame.first_sample != first.first_sample + n_there:
                raise DecodingError(
                    f"frames are missing after sample {first.first_sample + n_there}"
                )
            n_there += frame.n_samples
        n_promised = int.from_bytes(header[18:26]) & (1 << TOTAL_BITS) - 1
        if n_promised > n_there:
            raise DecodingError(f"its header promises {n_promised} samples, {n_there} are there")
        if n_promised < n_there:
            said = f"says {n_promised}" if n_promised else "leaves their number open"
            notes.append(f"{n_there} samples are there, its header {said}; read all")
            header[18:26] = (int.from_bytes(header[18:26]) + n_there - n_promised).to_bytes(8)
            parts.append((bytes(header), Span(begin + STREAM_INFO_BYTES, end)))
        else:
            parts.append((Span(begin, end),))
    return Layout(tuple(parts), tuple(notes))


def _frames(file: BinaryIO, start: int, end: int) -> Iterator[_Frame]:
    """Find the frames of the stream at `start`, in order.

    A frame does not give its size, so the next is searched for: by its first two bytes, a checksum
    of its header, and a number that goes on. What only looks like a header in between is passed.
    """
    block_size = int.from_bytes(read_at(file, start + 10, 2))
    position = _first_frame(file, start, end)
    candidates = (
        frame
        for _, header in find(file, SYNC, position, end)
        if (frame := _parse_header(header, block_size))
    )
    expected = None
    ahead: list[_Frame] = []  # what would come after a gap, should there be one
    for frame in candidates:
        if expected is None or frame.first_sample == expected:
            expected = frame.end
            ahead.clear()
            yield frame
        elif frame.first_sample > expected and len(ahead) < 1000:
            ahead.append(frame)
    # A single header by chance is likely in a large file, two that follow each other are not.
    follows = {frame.first_sample for frame in ahead}
    yield from (frame for frame in ahead if frame.end in follows)


def _first_frame(file: BinaryIO, start: int, end: int) -> int:
    """Find the end of the metadata blocks."""
    position, is_last = start + 4, False
    while not is_last and position < end:
        header = read_at(file, position, 4)
        is_last = bool(header[:1] >= b"\x80")
        position += 4 + int.from_bytes(header[1:])
    return position


def _parse_header(header: bytes, block_size: int) -> _Frame | None:
    """Parse a frame's header; None if these bytes are not one."""
    header = header.ljust(HEAD_BYTES, b"\0")
    size_code, rate_code = header[2] >> 4, header[2] & 15
    if size_code == 0 or rate_code == 15 or header[3] >> 4 > 10 or header[3] & 1:
        return None
    n_ones = 8 - (header[4] ^ 0xFF).bit_length()  # leading; they count the bytes, as in UTF-8
    if n_ones in (1, 8):
        return None
    number = header[4] & (0x7F >> n_ones)
    after = 4 + max(1, n_ones)
    for byte in header[5:after]:
        number = number << 6 | byte & 0x3F
    n_extra = {6: 1, 7: 2}.get(size_code, 0)
    size = int.from_bytes(header[after : after + n_extra]) + 1
    after += n_extra + {12: 1, 13: 2, 14: 2}.get(rate_code, 0)
    if after >= HEAD_BYTES or _crc8(header[: after + 1]):
        return None
    size = size if n_extra else BLOCK_SIZES[size_code]
    is_numbered_by_samples = header[1] & 1
    return _Frame(number if is_numbered_by_samples else number * block_size, size)


def _crc8(header: bytes) -> int:
    """Compute the checksum of a frame's header; 0 for one that ends in its own."""
    crc = 0
    for byte in header:
        crc = CRC8[crc ^ byte]
    return crc
