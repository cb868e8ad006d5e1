"""WAV, RF64 and AIFF: chunks, each with a name and a size, one of which holds the samples.

References:
    Microsoft and IBM, "Multimedia Programming Interface and Data Specifications 1.0", 1991;
    EBU Tech 3306, 2009 (RF64); Apple, "Audio Interchange File Format", version 1.3, 1989.
"""

import re
from dataclasses import dataclass, field
from typing import BinaryIO, Literal

from asr.audio.layout import DecodingError, Layout, Part, Span, check_size, find, read_at

# Programs that write to a pipe cannot go back to fill in the size. ffmpeg writes 2^32 - 1, sox and
# arecord about 2^31: such a size is a placeholder, not a promise.
PLACEHOLDER_SIZE = 0x7FFF0000
# Fewer bytes than this after the samples may be anything; more are what a recorder that died wrote.
SURPLUS_BYTES = 4096
# Magic and kind of a file, and what its chunk of samples is called.
KINDS = {
    (b"RIFF", b"WAVE"): b"data",
    (b"RF64", b"WAVE"): b"data",
    (b"FORM", b"AIFF"): b"SSND",
    (b"FORM", b"AIFC"): b"SSND",
}
DESCRIPTIONS = (b"fmt ", b"fact", b"FVER", b"COMM")  # chunks that a decoder needs
NAME = re.compile(rb"[A-Za-z0-9 _.()~-]{4}")
TAG = re.compile(rb"ID3|TAG|APETAGEX|LYRICSBEGIN")  # that tools for other formats append


@dataclass(slots=True)
class _File:
    """One file of chunks, which another may follow."""

    start: int
    magic: bytes
    kind: bytes
    samples: Span = field(default_factory=lambda: Span(0, 0))  # what the header says
    descriptions: list[bytes] = field(default_factory=list)  # whole chunks
    end: int = 0
    is_open: bool = False  # its header promises no size
    is_odd: bool = False  # needs a corrected header to be decoded

    @property
    def order(self) -> Literal["little", "big"]:
        return "big" if self.magic == b"FORM" else "little"

    @property
    def wanted(self) -> bytes:
        return KINDS[self.magic, self.kind]


def walk_chunks(file: BinaryIO, start: int, n_bytes: int) -> Layout:
    """Walk the chunks (name, size, content, padded to even) of each file that is joined here."""
    if n_bytes - start < 12:
        raise DecodingError("it ends before its samples begin")
    parts: list[Part] = []
    notes: list[str] = []
    while (found := _open(file, start)) is not None:
        _find_samples(file, found, n_bytes, notes)
        _find_end(file, found, n_bytes, notes)
        parts.append(_corrected(found) if found.is_odd else (Span(start, found.end),))
        start = found.end
    if not parts:  # of another kind, such as a film
        return Layout(((Span(start, n_bytes),),), is_walked=False)
    return Layout(tuple(parts), tuple(notes))


def _open(file: BinaryIO, start: int) -> _File | None:
    header = read_at(file, start, 12)
    magic, kind = header[:4], header[8:]
    return _File(start, magic, kind) if (magic, kind) in KINDS else None


def _find_samples(file: BinaryIO, found: _File, n_bytes: int, notes: list[str]) -> None:
    """Walk to the samples."""
    position, large_size = found.start + 12, None
    while position + 8 <= n_bytes:
        header = read_at(file, position, 8)
        name, size = header[:4], int.from_bytes(header[4:], found.order)
        if name == b"ds64":  # RF64 keeps its sizes of 64 bits here
            large_size = int.from_bytes(read_at(file, position + 16, 8), "little")
        if name == found.wanted:
            n_present = n_bytes - position - 8
            if large_size is not None:
                size = large_size
            elif size >= PLACEHOLDER_SIZE:
                size, found.is_open = n_present, True
            check_size(size, n_present)
            found.samples = Span(position + 8, position + 8 + size)
            return
        if name in DESCRIPTIONS and size <= 1 << 16:
            found.descriptions.append(read_at(file, position, 8 + size) + bytes(size % 2))
        position += 8 + size + size % 2
        if size % 2 and _is_unpadded(file, position, found.wanted):
            notes.append(f"its chunk {name.decode('latin-1').strip()!r} lacks the padding byte")
            position, found.is_odd = position - 1, True
    raise DecodingError("it ends before its samples begin")


def _is_unpadded(file: BinaryIO, position: int, wanted: bytes) -> bool:
    """Tell whether a chunk begins just before an even position, where one is expected."""
    before = read_at(file, position - 1, 5)
    is_known = before[1:] in (wanted, b"LIST", *DESCRIPTIONS)
    return not is_known and NAME.match(before) is not None


def _find_end(file: BinaryIO, found: _File, n_bytes: int, notes: list[str]) -> None:
    """Look at what follows the samples: chunks, tags, the next file, or more samples."""
    end, n_promised = found.samples.end, len(found.samples)
    after = _after_chunks(file, end + n_promised % 2, n_bytes) or _after_chunks(file, end, n_bytes)
    if after is not None and end < n_bytes:
        found.end = after
        return
    search_from = found.samples.start if found.is_open else end
    found.end = next_file = _next_file(file, found.kind, search_from, n_bytes)
    n_there = next_file - found.samples.start
    is_silent = not n_promised and not read_at(file, end, n_bytes - end).strip(b"\0")
    if n_there - n_promised < (SURPLUS_BYTES if n_promised else 1) or is_silent:
        if n_there > n_promised:
            notes.append(f"{n_there - n_promised} bytes follow its samples; they were not read")
        return
    notes.append(f"its header says {n_promised} bytes of samples, {n_there} are there; read all")
    found.samples, found.is_odd = Span(found.samples.start, next_file), True


def _after_chunks(file: BinaryIO, position: int, n_bytes: int) -> int | None:
    """Find the end of the chunks and tags at a position; None if something else comes first."""
    while position < n_bytes:
        head = read_at(file, position, 12)
        size = int.from_bytes(head[4:8], "big" if head[:4] == b"SSND" else "little")
        if (head[:4], head[8:]) in KINDS:
            return position
        if TAG.match(head):
            return n_bytes
        is_chunk = len(head) >= 8 and NAME.match(head) and position + 8 + size <= n_bytes
        if not is_chunk:
            is_padding = not read_at(file, position, SURPLUS_BYTES).strip(b"\0")
            return n_bytes if is_padding and n_bytes - position < SURPLUS_BYTES else None
        position += 8 + size + size % 2
    return n_bytes


def _next_file(file: BinaryIO, kind: bytes, position: int, n_bytes: int) -> int:
    """Find where another file of a kind begins in what should be samples."""
    magics = b"|".join(magic for magic, other in KINDS if other == kind)
    pattern = re.compile(b"(?:%s)....%s" % (magics, kind), re.DOTALL)
    return next((place for place, _ in find(file, pattern, position, n_bytes)), n_bytes)


def _corrected(found: _File) -> Part:
    """Write a header that says where the samples end, with what a decoder needs."""
    n_samples = len(found.samples)
    descriptions = [_count_frames(chunk, n_samples) for chunk in found.descriptions]
    content = found.kind + b"".join(descriptions)
    size, order = len(content) + 8 + n_samples, found.order
    if size < 1 << 32:
        magic = b"FORM" if found.magic == b"FORM" else b"RIFF"
        header = magic + size.to_bytes(4, order) + content
        return (header + found.wanted + n_samples.to_bytes(4, order), found.samples)
    sizes = (size + 36).to_bytes(8, order) + n_samples.to_bytes(8, order) + bytes(12)
    header = b"RF64\xff\xff\xff\xffWAVEds64" + len(sizes).to_bytes(4, order) + sizes
    return (header + content[4:] + b"data\xff\xff\xff\xff", found.samples)


def _count_frames(chunk: bytes, n_bytes: int) -> bytes:
    """Correct the number of samples in AIFF's description, where it was left at 0."""
    if chunk[:4] != b"COMM" or chunk[10:14] != bytes(4):
        return chunk
    width = int.from_bytes(chunk[8:10]) * ((int.from_bytes(chunk[14:16]) + 7) // 8)
    n_frames = (n_bytes - 8) // width if width else 0
    return chunk[:10] + max(0, n_frames).to_bytes(4) + chunk[14:]
