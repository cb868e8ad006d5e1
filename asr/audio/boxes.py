"""MP4 and Matroska: boxes or elements, each with a size, at the top of which recordings are joined.

References:
    ISO/IEC 14496-12, section 4.2 (boxes); RFC 8794, sections 4 to 6 (EBML elements).
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import BinaryIO

from asr.audio.layout import DecodingError, Layout, Span, read_at

FIRST_BOX = b"ftyp"
FIRST_ELEMENT = b"\x1a\x45\xdf\xa3"
SEGMENT = b"\x18\x53\x80\x67"  # the other element at the top: the recording


def walk_boxes(file: BinaryIO, start: int, n_bytes: int) -> Layout:
    """Walk the boxes of an MP4 file (also M4A, MOV, 3GP)."""
    return _split(_boxes(file, start, n_bytes), FIRST_BOX, start, n_bytes)


def walk_elements(file: BinaryIO, start: int, n_bytes: int) -> Layout:
    """Walk the elements of a Matroska file (also WebM)."""
    return _split(_elements(file, start, n_bytes), FIRST_ELEMENT, start, n_bytes)


def _split(
    pieces: Iterator[tuple[int, bytes, int]], first: bytes, start: int, n_bytes: int
) -> Layout:
    """Begin a part where its first piece does; refuse a file whose last piece is cut."""
    starts, end = [], start
    for position, name, size in pieces:
        if position + size > n_bytes:
            raise DecodingError(
                f"its last part promises {size} bytes, {n_bytes - position} are there"
            )
        end = position + size
        if name == first:
            starts.append(position)
    if not starts:
        raise DecodingError("it ends before its samples begin")
    notes = []
    if end < n_bytes:
        notes.append(f"{n_bytes - end} bytes follow its last part; they were not read")
    parts = tuple((Span(*ends),) for ends in pairwise([*starts, n_bytes]))
    return Layout(parts, tuple(notes))


def _boxes(file: BinaryIO, position: int, n_bytes: int) -> Iterator[tuple[int, bytes, int]]:
    """Yield each box: where it begins, its name and its size."""
    while position + 8 <= n_bytes:
        header = read_at(file, position, 16)
        name, size = header[4:8], int.from_bytes(header[:4])
        if not name.isalnum() and not name.strip().isalnum():
            return
        if size == 1:
            size = int.from_bytes(header[8:])
        elif size == 0:  # to the end
            size = n_bytes - position
        yield position, name, max(8, size)
        position += max(8, size)


def _elements(file: BinaryIO, position: int, n_bytes: int) -> Iterator[tuple[int, bytes, int]]:
    """Yield each element; a stream's segment leaves its size open, and lasts to the end."""
    while position + 5 <= n_bytes:
        header = read_at(file, position, 12)
        if header[:4] not in (FIRST_ELEMENT, SEGMENT):
            return
        width = 9 - header[4].bit_length()  # leading zeros tell how long the size is
        size = int.from_bytes(header[4 : 4 + width]) & (1 << 7 * width) - 1
        is_open = size == (1 << 7 * width) - 1
        size = n_bytes - position if is_open or width > 8 else 4 + width + size
        yield position, header[:4], size
        position += size
