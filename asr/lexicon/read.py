"""Read: a lexicon file becomes words and the units that they are pronounced in.

The dictionaries that others publish are read as they are:

    CMUdict     comments after `;;;` or `#`; READ(2) and READ(alt) are pronunciations of READ
    LibriSpeech's lexicon, Kaldi's lexicon.txt    a word and its phones, spaces or tabs between
    Kaldi's lexiconp.txt, MFA                     the probabilities between them are dropped

Stress marks are folded where they meet a model; see `phone_set`.
"""

import logging
import re
from collections.abc import Sequence
from pathlib import Path

from asr.errors import DataError, shortened
from asr.lexicon.fields import split_columns
from asr.text.lines import read_text
from asr.text.normalise import Normaliser, words_of
from asr.text.word_list import can_begin_word

MAX_LOST = 0.05  # of the words of a file: more, and it is not for this model

Units = tuple[str, ...]
Pronunciation = tuple[str, Units]  # of a word
Dictionary = dict[str, tuple[Units, ...]]  # the pronunciations of each word, at least one

_VARIANT = re.compile(r"(?<=.)\([^()]*\)$")  # as in READ(2), the second pronunciation of a word
_PROBABILITY = re.compile(r"(?:\d*\.\d+(?:[eE]-?\d+)?|\d+[eE]-\d+)(?:\s+|$)")
_ONE = re.compile(r"1\s+(?=\S)")  # a probability, if all words have it before their units
_FIRST_PROBABILITY = re.compile(rf"[01]\s+|{_PROBABILITY.pattern}")  # of files that have others

_LOG = logging.getLogger(__name__)


def read_lexicon(path: Path, normalise: Normaliser) -> list[Pronunciation]:
    """Read a list of words: one a line, alone or followed by its pronunciation in units.

    A word can have several lines. What begins with a mark, as `<unk>` does, is no word. A list may
    have compounds, which become words (`X-RAY`: X, RAY); a compound with a pronunciation needs no
    entry if all its words have theirs, and is lost otherwise. So is a word of which the normaliser
    drops a letter or a digit (`3D`).

    Raises:
        DataError: The file cannot be read, has no words, has words both with pronunciations and
            without, or loses more than one word in twenty.
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
    written, pronunciations = _read_rows(path)
    if not written:
        raise DataError(f"{path}: expected a word a line, got none")
    if any(pronunciations) and not all(pronunciations):
        word = written[pronunciations.index("")]
        raise DataError(f"{path}: some words have pronunciations, {word!r} has none")
    text = " ".join(written)
    words = normalise(text).split(" ")  # ten times as fast as one by one
    if text.isascii() and [*map(len, words)] == [*map(len, written)]:  # so nothing has vanished
        return words, pronunciations
    words, pronunciations, lost = _spelled(written, pronunciations, normalise)
    why = "are no single word as the model spells them, or lose a letter or digit"
    refuse_losses(path, lost, len(written), why)
    return words, pronunciations


def refuse_losses(path: Path, lost: list[str], n_words: int, why: str) -> None:
    """Refuse a file that loses many of its words; log a few.

    Raises:
        DataError: It loses more than `MAX_LOST` of them.
    """
    if not lost:
        return
    message = f"{path}: {len(lost):,} of {n_words:,} words {why}: {shortened(lost)}"
    if len(lost) > MAX_LOST * n_words:
        raise DataError(f"{message}; at most {MAX_LOST:.0%} may be lost")
    _LOG.info("%s", message)


def _read_rows(path: Path) -> tuple[list[str], list[str]]:
    """Read words as they are written, and their units, which may be none."""
    text = read_text(path, or_else="latin-1")  # CMUdict's encoding
    if "\0" in text:
        raise DataError(f"{path}: is no text; expected a word a line, perhaps with its units")
    written, units = split_columns(text)
    marks = {letter for letter in {word[0] for word in written} if not can_begin_word(letter)}
    if marks:
        rows = [row for row in zip(written, units, strict=True) if row[0][0] not in marks]
        written, units = [word for word, _ in rows], [own for _, own in rows]
    if ")" in text:  # here and below, quicker than line by line
        written = [_VARIANT.sub("", word) if word[-1] == ")" else word for word in written]
    if "." in text and any(map(_PROBABILITY.match, units)):
        units = list(map(_without_probabilities, units))
    elif all(map(_ONE.match, units)):
        units = [_ONE.sub("", own, count=1) for own in units]
    return written, units


def _without_probabilities(units: str) -> str:
    found = _FIRST_PROBABILITY.match(units)
    while found:
        units = units[found.end() :]
        found = _PROBABILITY.match(units)
    return units


def _spelled(
    written: Sequence[str], pronunciations: Sequence[str], normalise: Normaliser
) -> tuple[list[str], list[str], list[str]]:
    """Normalise words with their units; also return those that are lost, as they are written."""
    spellings = [words_of(word, normalise) for word in written]
    single = {words[0] for words in spellings if len(words) == 1}
    words: list[str] = []
    units: list[str] = []
    lost: list[str] = []
    for word, own, spelling in zip(written, pronunciations, spellings, strict=True):
        if len(spelling) == 1 or not own:
            words += spelling
            units += [own] * len(spelling)
        if not spelling or (len(spelling) > 1 and own and not single.issuperset(spelling)):
            lost.append(word)
    return words, units, lost
