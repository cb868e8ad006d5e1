"""Ogg: pages, one after another, each with a checksum and a number.

References:
    RFC 3533, section 6.
"""

import re
import zlib
from dataclasses import dataclass, field
from itertools import pairwise
from typing import BinaryIO

from asr.audio.layout import DecodingError, Layout, Span, find, read_at

HEADER_BYTES = 27  # of a page, before the table of its segments
PAGE = re.compile(b"OggS")
FIRST_PAGE, LAST_PAGE = 2, 4  # flags of a stream's first and last page
# Ogg's CRC is zlib's with the bits of each byte, and of the result, in the other order.
_MIRROR = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


@dataclass(slots=True)
class _Link:
    """One of the recordings that are chained in a file: its streams, by serial number."""

    start: int
    next_pages: dict[bytes, int] = field(default_factory=dict)
    unended: set[bytes] = field(default_factory=set)
    has_content: bool = False


def walk_ogg(file: BinaryIO, start: int, n_bytes: int) -> Layout:
    """Walk from page to page; a first page after content begins the next link of a chain."""
    links: list[_Link] = []
    notes: list[str] = []
    position = start
    while position < n_bytes:
        page = _read_page(file, position)
        if page[:4] != b"OggS":
            if next(find(file, PAGE, position, n_bytes), None):
                raise DecodingError(
                    f"at byte {position}, where a page must begin, is something else"
                )
            notes.append(f"{n_bytes - position} bytes follow its last page; they were not read")
            break
        if len(page) < _page_bytes(page):
            raise DecodingError("its last page is cut")
        if not _is_intact(page):
            raise DecodingError(f"the page at byte {position} does not match its checksum")
        is_first = bool(page[5] & FIRST_PAGE)
        if is_first and (not links or links[-1].has_content):
            links.append(_Link(position))
        if not links or not _follow(links[-1], page):
            raise DecodingError(f"pages are missing before byte {position}")
        position += _page_bytes(page)
    if any(link.unended for link in links):
        notes.append("no page is marked as its last; read up to where it ends")
    starts = [link.start for link in links]
    parts = tuple((Span(*ends),) for ends in pairwise([*starts, position]))
    return Layout(parts, tuple(notes))


def _read_page(file: BinaryIO, position: int) -> bytes:
    header = read_at(file, position, HEADER_BYTES)
    if len(header) < HEADER_BYTES or header[:4] != b"OggS":
        return header
    header += file.read(header[26])
    return header + file.read(sum(header[HEADER_BYTES:]))


def _page_bytes(page: bytes) -> int:
    """Compute the size that a page's header gives; more than there is if the header is cut."""
    if len(page) < HEADER_BYTES or len(page) < HEADER_BYTES + page[26]:
        return len(page) + 1
    return HEADER_BYTES + page[26] + sum(page[HEADER_BYTES : HEADER_BYTES + page[26]])


def _is_intact(page: bytes) -> bool:
    content = (page[:22] + bytes(4) + page[26:]).translate(_MIRROR)
    checksum = zlib.crc32(content, 0xFFFFFFFF) ^ 0xFFFFFFFF
    return f"{checksum:032b}"[::-1] == f"{int.from_bytes(page[22:26], 'little'):032b}"


def _follow(link: _Link, page: bytes) -> bool:
    """Note a page of a link; False if pages are missing before it."""
    serial, number = page[14:18], int.from_bytes(page[18:22], "little")
    if page[5] & FIRST_PAGE:
        link.unended.add(serial)
    elif serial not in link.next_pages:
        return False
    else:
        link.has_content = True
        if number != link.next_pages[serial]:
            return False
    link.next_pages[serial] = number + 1
    if page[5] & LAST_PAGE:
        link.unended.discard(serial)
    return True
