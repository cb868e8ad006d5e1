"""Find the layout of a file by its first bytes."""

import math
import re
from collections.abc import Callable
from typing import BinaryIO

from asr.audio.boxes import FIRST_BOX, FIRST_ELEMENT, walk_boxes, walk_elements
from asr.audio.chunks import walk_chunks
from asr.audio.flac import walk_flac
from asr.audio.layout import DecodingError, Layout, Span, check_size, read_at, skip_id3
from asr.audio.mpeg import mpeg_frame_bytes, walk_mpeg
from asr.audio.ogg import walk_ogg

OPEN_SIZE = 0xFFFFFFFF  # AU's, of a file that was written to a pipe


def find_layout(file: BinaryIO, n_bytes: int) -> Layout:
    """Find the parts of a file, from what its container says.

    WAV, AIFF, AU, CAF, W64 and NIST promise a size (unless it is a streaming program's
    placeholder), Ogg numbered pages with checksums, FLAC numbered frames and their samples, MP3
    complete frames and often their number. Other formats are one part, which is not walked.

    Args:
        file: The file, opened for reading; its position afterwards is undefined.
        n_bytes: Its size.

    Raises:
        DecodingError: Something is missing or broken.
    """
    start = skip_id3(file, 0)
    magic = read_at(file, start, 4)
    walk = _WALKS.get(magic)
    if walk is None and mpeg_frame_bytes(magic):
        walk = walk_mpeg
    if read_at(file, start + 4, 4) == FIRST_BOX:
        walk = walk_boxes
    if walk is None:
        return Layout(((Span(0, n_bytes),),), is_walked=False)
    return walk(file, start, n_bytes)


def _walk_au(file: BinaryIO, start: int, n_bytes: int) -> Layout:
    """Check the size in the header."""
    header = read_at(file, start, 24)
    if len(header) < 24:
        raise DecodingError("it ends in its header")
    offset, size = int.from_bytes(header[4:8]), int.from_bytes(header[8:12])
    n_present = n_bytes - start - offset
    if size in (OPEN_SIZE, n_present):
        return _whole(start, n_bytes)
    check_size(size, n_present)
    note = f"its header says {size} bytes of samples, {n_present} are there; read all"
    corrected = header[:8] + OPEN_SIZE.to_bytes(4) + header[12:]
    return Layout(((corrected, Span(start + 24, n_bytes)),), (note,))


def _walk_caf(file: BinaryIO, start: int, n_bytes: int) -> Layout:
    """Walk the chunks (name, size of 64 bits, content) to the one with the samples."""
    position = start + 8
    while position + 12 <= n_bytes:
        header = read_at(file, position, 12)
        size = int.from_bytes(header[4:], signed=True)
        if header[:4] == b"data":
            check_size(size, n_bytes - position - 12)  # -1: to the end
            return _whole(start, n_bytes)
        position += 12 + max(0, size)
    raise DecodingError("it ends before its samples begin")


def _walk_w64(file: BinaryIO, start: int, n_bytes: int) -> Layout:
    """Walk the chunks (name, size of 64 bits with both, content, padded to eight bytes)."""
    position = start + 40
    while position + 24 <= n_bytes:
        header = read_at(file, position, 24)
        size = int.from_bytes(header[16:], "little")
        if header[:4] == b"data":
            check_size(size, n_bytes - position)
            return _whole(start, n_bytes)
        position += max(24, size + -size % 8)
    raise DecodingError("it ends before its samples begin")


def _walk_nist(file: BinaryIO, start: int, n_bytes: int) -> Layout:
    """Check the number of samples in the header, which is lines of text."""
    header = read_at(file, start, 1 << 14)
    found = dict(re.findall(rb"^(\w+) -i (\d+)$", header, re.MULTILINE))
    names = (b"sample_count", b"channel_count", b"sample_n_bytes")
    first_line, _, size = header[:16].partition(b"\n")
    if first_line != b"NIST_1A" or not size.strip().isdigit() or not found.keys() >= {*names}:
        return Layout(((Span(start, n_bytes),),), is_walked=False)
    n_promised = math.prod(int(found[name]) for name in names)
    check_size(n_promised, n_bytes - start - int(size))
    return _whole(start, n_bytes)


def _whole(start: int, n_bytes: int) -> Layout:
    return Layout(((Span(start, n_bytes),),))


_WALKS: dict[bytes, Callable[[BinaryIO, int, int], Layout]] = {
    b"RIFF": walk_chunks,
    b"RF64": walk_chunks,
    b"FORM": walk_chunks,
    b"OggS": walk_ogg,
    b"fLaC": walk_flac,
    b".snd": _walk_au,
    b"caff": _walk_caf,
    b"riff": _walk_w64,
    b"NIST": _walk_nist,
    FIRST_ELEMENT: walk_elements,
}
