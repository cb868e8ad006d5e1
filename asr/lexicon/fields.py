"""Fields: the text of a lexicon, taken apart by compiled code.

A search for words begins with it, so that everyone who starts one waits for 100,000 lines or more.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from asr.compiled import compiled

Bytes = NDArray[np.uint8]

_FEW = 1024  # as many places as twice the distinct fields that there usually are

_NEW_LINE, _SPACE, _COMMENT = b"\n #"


def split_columns(text: str) -> tuple[list[str], list[str]]:
    """Split lines at their first white space: the first field of each, and what follows it.

    A `#` begins a comment. Lines without a field are left out, white space at their ends, too.

    Example:
        >>> split_columns("READ  R IY D  # now")
        (['READ'], ['R IY D'])
    """
    written = _encoded(text if text.isascii() else _plain(text.splitlines()))
    words, rests = np.empty(len(written) + 1, np.uint8), np.empty(len(written) + 1, np.uint8)
    end_of_words, end_of_rests = _split(written, words, rests)
    if not end_of_words:
        return [], []
    return _lines(words[:end_of_words]), _lines(rests[:end_of_rests])


def number_fields(lines: list[str]) -> tuple[NDArray[np.int32], NDArray[np.int64], list[str]]:
    """Number the distinct fields of some lines, as white space divides them, from 0 on.

    Returns:
        The number of each field, (n,); how many fields each line has, (lines,); and the distinct
        fields by number.

    Example:
        >>> number_fields(["R IY D", "", "D"])
        (array([0, 1, 2, 2], dtype=int32), array([3, 0, 1]), ['R', 'IY', 'D'])
    """
    text = "\n".join(lines) + "\n"
    written = _encoded(text if text.isascii() else _plain(lines))
    numbers, counts = np.empty(len(written) // 2, np.int32), np.empty(len(lines), np.int64)
    n_places, n_distinct = _FEW, -1
    while n_distinct < 0:
        places = np.full(n_places, -1, np.int32)  # by a hash of a field
        bounds = np.empty((n_places // 2, 2), np.int64)  # where a distinct one begins and ends
        n, n_distinct = _number(written, numbers, counts, bounds, places)
        n_places *= 16
    distinct = [written[start:stop].tobytes().decode() for start, stop in bounds[:n_distinct]]
    return numbers[:n], counts, distinct


def number_characters(words: list[str]) -> tuple[NDArray[np.int32], NDArray[np.int64], list[str]]:
    """Number the distinct characters of some words, as `number_fields` does fields.

    Example:
        >>> number_characters(["AN", "NO"])
        (array([0, 1, 1, 2], dtype=int32), array([2, 2]), ['A', 'N', 'O'])
    """
    codes = np.frombuffer("".join(words).encode("utf-32-le"), np.uint32)
    distinct = np.unique(codes)
    counts = np.array([*map(len, words)], np.int64)
    numbers = np.searchsorted(distinct, codes).astype(np.int32)
    return numbers, counts, [*map(chr, distinct.tolist())]


def _plain(lines: Iterable[str]) -> str:
    """Join lines by ASCII's line breaks, their fields by its spaces: Unicode has others."""
    return "".join(" ".join(line.split()) + "\n" for line in lines)


def _encoded(text: str) -> Bytes:
    return np.frombuffer(text.encode(), np.uint8)


def _lines(written: Bytes) -> list[str]:
    """Decode lines, each of which ends with a line break."""
    return written.tobytes().decode().split("\n")[:-1]


@compiled
def _is_line_end(byte: int) -> bool:
    """Tell whether `str.splitlines` ends a line at a byte."""
    return 10 <= byte <= 13 or 28 <= byte <= 30


@compiled
def _is_space(byte: int) -> bool:
    """Tell whether `str.split` divides fields at a byte."""
    return 9 <= byte <= 13 or 28 <= byte <= 32


@compiled
def _split(text: Bytes, words: Bytes, rests: Bytes) -> tuple[int, int]:
    """Write the first field of each line and the rest of it, each with a line break.

    Returns:
        The bytes written of each.
    """
    n_words, n_rests, position = 0, 0, 0
    while position < len(text):
        start = position
        while position < len(text) and not _is_line_end(text[position]):
            position += 1
        stop = start
        while stop < position and text[stop] != _COMMENT:
            stop += 1
        position += 1
        while start < stop and _is_space(text[start]):
            start += 1
        while start < stop and _is_space(text[stop - 1]):
            stop -= 1
        if start == stop:
            continue
        while start < stop and not _is_space(text[start]):
            words[n_words] = text[start]
            n_words, start = n_words + 1, start + 1
        while start < stop and _is_space(text[start]):
            start += 1
        for i in range(start, stop):
            rests[n_rests] = text[i]
            n_rests += 1
        words[n_words], rests[n_rests] = _NEW_LINE, _NEW_LINE
        n_words, n_rests = n_words + 1, n_rests + 1
    return n_words, n_rests


@compiled
def _number(
    text: Bytes,
    numbers: NDArray[np.int32],
    counts: NDArray[np.int64],
    bounds: NDArray[np.int64],
    places: NDArray[np.int32],
) -> tuple[int, int]:
    """Fill in `number_fields`' arrays; half of the places stay free.

    Returns:
        How many fields there are, and how many distinct ones; -1 of these if there are more than
        there is room for.
    """
    n, n_distinct, line, position = 0, 0, 0, 0
    counts[:] = 0
    while position < len(text):
        if _is_space(text[position]):
            line += text[position] == _NEW_LINE
            position += 1
            continue
        start, place = position, 0
        while not _is_space(text[position]):  # a line break is last
            place = (place * 31 + text[position]) & (len(places) - 1)
            position += 1
        while places[place] != -1 and not _is_same(text, start, position, bounds, places[place]):
            place = (place + 1) & (len(places) - 1)
        if places[place] == -1:
            if n_distinct == len(bounds):
                return n, -1
            places[place] = n_distinct
            bounds[n_distinct, 0], bounds[n_distinct, 1] = start, position
            n_distinct += 1
        numbers[n] = places[place]
        counts[line] += 1
        n += 1
    return n, n_distinct


@compiled
def _is_same(text: Bytes, start: int, stop: int, bounds: NDArray[np.int64], number: int) -> bool:
    """Tell whether a field of a text is the one with some number."""
    other = bounds[number, 0]
    if bounds[number, 1] - other != stop - start:
        return False
    i = 0
    while start + i < stop and text[start + i] == text[other + i]:
        i += 1
    return start + i == stop
