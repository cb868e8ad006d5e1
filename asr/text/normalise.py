"""Normalisers: one spelling for one word, under a name that is printed with every score.

A word error rate depends on how both texts were normalised, so a normaliser never changes after a
figure was published with it: a different rule gets a new number.
"""

import re
import unicodedata
from collections.abc import Callable

from asr.errors import DataError

Normaliser = Callable[[str], str]

_APOSTROPHES = str.maketrans(
    dict.fromkeys("\u2018\u2019\u201b\u02bc\u02b9\u2032\u00b4\u0060\uff07", "'")
)
_MORE_APOSTROPHES = str.maketrans(dict.fromkeys("\u02bb\u02bd\ua78c", "'"))
# Letters that neither Unicode decomposes nor English has, as English spells them.
_LETTERS = str.maketrans(
    {"Æ": "AE", "Œ": "OE", "Þ": "TH", "Ð": "D", "Ŋ": "NG", "ĸ": "K", "ẞ": "SS"}
    | {"Ə": "A", "Ɛ": "E", "Ɔ": "O"}
)
_INVISIBLE = frozenset({"Cf", "Mc", "Me", "Mn"})  # categories: formats and marks
_VARIANT = re.compile("LATIN (?:SMALL|CAPITAL) LETTER (?:DOTLESS )?([A-Z])(?: WITH .*)?")
_NOT_LIBRISPEECH = re.compile("[^A-Z' ]|'{2,}")
_LONE_APOSTROPHE = re.compile(r"(?<!\S)'(?!\S)")


def normaliser(name: str) -> Normaliser:
    """Find a normaliser by its name.

    Raises:
        DataError: No normaliser has this name; the message lists the known ones.

    Example:
        >>> normaliser("librispeech-1")("Don\u2019t stop, caf\u00e9-goers!")
        "DON'T STOP CAFE GOERS"
    """
    try:
        return NORMALISERS[name]
    except KeyError:
        known = ", ".join(sorted(NORMALISERS))
        raise DataError(f"no normaliser is called {name!r}; expected one of: {known}") from None


def words_of(text: str, normalise: Normaliser) -> list[str]:
    """Split text into normalised words; none if a letter or a digit of it would vanish.

    Example:
        >>> [words_of(text, normaliser("librispeech-1")) for text in ("X-ray", "a.m.", "3D")]
        [['X', 'RAY'], ['A', 'M'], []]
    """
    words = normalise(text).split()
    n_kept = sum(map(len, words))
    if n_kept < len(text):
        written = unicodedata.normalize("NFKD", text)
        if sum(map(str.isalnum, "".join(words))) < sum(map(str.isalnum, written)):
            return []
    return words


def _librispeech_1(text: str) -> str:
    """Spell as LibriSpeech's transcripts do: upper case A-Z, apostrophes, single spaces.

    Apostrophes of every shape become `'`; accents and ligatures are decomposed and the accents
    dropped (NFKD). Anything else becomes a space: punctuation, hyphens, letters of other scripts
    and digits, so write numbers out first. An apostrophe is kept where it touches a letter, also
    at the edge of a word (`'TIS`, `BOYS'`); two in a row are a quotation mark.
    """
    letters = text.translate(_APOSTROPHES)
    if not letters.isascii():
        decomposed = unicodedata.normalize("NFKD", letters)
        letters = "".join(c for c in decomposed if not unicodedata.combining(c))
    spelled = _NOT_LIBRISPEECH.sub(" ", letters.upper())
    return " ".join(_LONE_APOSTROPHE.sub(" ", spelled).split())


def _librispeech_2(text: str) -> str:
    """Spell as `librispeech-1` does, and keep the letters that it takes out of Latin words.

    What Unicode does not decompose is spelled as in English: `ø` as O, `ł` as L, `œ` as OE. Marks
    and what has no width (soft hyphens, joiners, byte order marks) vanish, and split no word.
    """
    if text.isascii():
        return _librispeech_1(text)
    decomposed = unicodedata.normalize("NFKD", text.translate(_MORE_APOSTROPHES))
    visible = (c for c in decomposed if unicodedata.category(c) not in _INVISIBLE)
    folded = "".join(c if c.isascii() else _fold(c) for c in visible)
    return _librispeech_1(folded)


def _fold(character: str) -> str:
    """Spell a Latin letter with a stroke, a hook or the like as the letter alone."""
    upper = character.upper().translate(_LETTERS)
    variant = _VARIANT.fullmatch(unicodedata.name(upper, "")) if len(upper) == 1 else None
    return variant[1] if variant else upper


def _verbatim_1(text: str) -> str:
    """Keep every character, composed (NFC); collapse white space, and strip it at the ends."""
    return " ".join(unicodedata.normalize("NFC", text).split())


NORMALISERS: dict[str, Normaliser] = {
    "librispeech-1": _librispeech_1,
    "librispeech-2": _librispeech_2,
    "verbatim-1": _verbatim_1,
}
