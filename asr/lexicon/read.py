"""Read: a lexicon file becomes words and the units that they are pronounced in."""

import re
from itertools import compress
from pathlib import Path

from asr.errors import DataError
from asr.text.lines import read_text
from asr.text.normalise import Normaliser

Units = tuple[str, ...]
Pronunciation = tuple[str, Units]  # of a word
Dictionary = dict[str, tuple[Units, ...]]  # the pronunciations of each word, at least one

_VARIANT = re.compile(r"\(\d+\)$")  # as in READ(2), the second pronunciation of a word


def read_lexicon(path: Path, normalise: Normaliser) -> list[Pronunciation]:
    """Read a list of words: one a line, alone or followed by its pronunciation in units.

    `#` begins a comment. A word can have several lines; a number in parentheses after it, as in
    `READ(2)`, is dropped.

    Raises:
        DataError: The file cannot be read, has no words, or has words both with pronunciations and
            without.
    """
    words, pronunciations = read_columns(path, normalise)
    return [(word, tuple(units.split())) for word, units in zip(words, pronunciations, strict=True)]


def read_dictionary(path: Path, normalise: Normaliser) -> Dictionary:
    """Read words and their pronunciations, each once, in the order of the file.

    Raises:
        DataError: As `read_lexicon`; or the words have no pronunciations.
    """
    dictionary: Dictionary = {}
    for word, units in read_lexicon(path, normalise):
        if not units:
            raise DataError(f"{path}: expected words with pronunciations, got {word!r} alone")
        known = dictionary.get(word, ())
        if units not in known:
            dictionary[word] = (*known, units)
    return dictionary


def read_columns(path: Path, normalise: Normaliser) -> tuple[list[str], list[str]]:
    """Read a lexicon as `read_lexicon` does, but faster: its words, and the units of each unsplit.

    Raises:
        DataError: As `read_lexicon`.
    """
    lines = read_text(path).splitlines()
    if "#" in "".join(lines):  # quicker than line by line
        lines = [line.partition("#")[0] for line in lines]
    rows = [row for row in [line.split(None, 1) for line in lines] if row]
    written = [_VARIANT.sub("", row[0]) if row[0][-1] == ")" else row[0] for row in rows]
    normalised = normalise(" ".join(written)).split(" ")  # ten times as fast as one by one
    if normalised != written:
        normalised = [*map(normalise, written)]
    is_word = [bool(word) and " " not in word for word in normalised]
    words = list(compress(normalised, is_word))
    pronunciations = [row[1] if len(row) > 1 else "" for row in compress(rows, is_word)]
    if not words:
        raise DataError(f"{path}: expected a word a line, got none")
    if any(pronunciations) and not all(pronunciations):
        word = words[pronunciations.index("")]
        raise DataError(f"{path}: some words have pronunciations, {word!r} has none")
    return words, pronunciations
