"""Normalisers: one spelling for one word, under a name that is printed with every score.

A word error rate depends on how both texts were normalised, so a normaliser never changes after a
figure was published with it: a different rule gets a new number.
"""

import re
import unicodedata
from collections.abc import Callable
from functools import cache, lru_cache

from asr.errors import DataError

Normaliser = Callable[[str], str]

_N_REMEMBERED = 2**14  # a corpus of commands has few texts, each a thousand times
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
_WORD = "'?+[A-Z]++(?:'[A-Z]++)*+'?+"  # possessive, which fails quickly
_LIBRISPEECH = re.compile(f"{_WORD}(?: {_WORD})*+")
_LONE_APOSTROPHE = re.compile(r"(?<!\S)'(?!\S)")


@cache
def normaliser(name: str) -> Normaliser:
    """Find a normaliser by its name; it remembers the last few thousand texts.

    Raises:
        DataError: No normaliser has this name; the message lists the known ones.

    Example:
        >>> normaliser("librispeech-1")("Don\u2019t stop, caf\u00e9-goers!")
        "DON'T STOP CAFE GOERS"
    """
    try:
        return lru_cache(_N_REMEMBERED)(NORMALISERS[name])
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
    if _LIBRISPEECH.fullmatch(text):  # as most texts are, and much faster to tell than to spell
        return text
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


def _uncased_1(text: str) -> str:
    """Spell as `verbatim-1` does, in lower case: how NIST's sclite compares words."""
    return _verbatim_1(text.lower())


def _english_1(text: str) -> str:
    """Spell as Whisper's English normaliser does: case, punctuation, numbers, British spellings.

    `Mr. Smith paid $12.50` and `MISTER SMITH PAID TWELVE DOLLARS AND FIFTY CENTS` are equal. It
    drops fillers (`uh`) and what stands in brackets.

    References:
        Radford et al., "Robust Speech Recognition via Large-Scale Weak Supervision", appendix C.
    """
    visible = "".join(c for c in text if unicodedata.category(c) != "Cf")
    return " ".join(_whisper_english()(visible).split())


@cache
def _whisper_english() -> Normaliser:
    try:
        from whisper_normalizer.english import EnglishTextNormalizer
    except ModuleNotFoundError as error:
        raise DataError(f"english-1 needs {error.name}: pip install 'asr-ctc[english]'") from error
    normalise: Normaliser = EnglishTextNormalizer()
    return normalise


NORMALISERS: dict[str, Normaliser] = {
    "english-1": _english_1,
    "librispeech-1": _librispeech_1,
    "librispeech-2": _librispeech_2,
    "uncased-1": _uncased_1,
    "verbatim-1": _verbatim_1,
}
