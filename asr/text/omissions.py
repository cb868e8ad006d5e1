"""Omissions: what a normaliser takes out of texts that somebody said.

Under a normaliser that spells in A to Z, `SUN 3 MOON` becomes `SUN MOON`, and a model learns from
it to hear nothing where three was said. Punctuation may go; letters, digits and signs that are read
aloud may not go unnoticed.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from asr.text.normalise import Normaliser

SIGNS = frozenset("&%‰@#§°+=×÷±")  # read aloud, as are those of currencies
_N_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Omissions:
    """What is lost of some texts.

    Attributes:
        n_words: Words of the texts as written, which white space separates.
        n_damaged: Those that lose a letter, a digit or a sign, or are split by what has no width.
        characters: How often each character is lost, the most frequent first.
        examples: A few of the damaged words, each with the id of its text.
        emptied: Ids of the texts with characters, punctuation included, of which nothing is left.
    """

    n_words: int
    n_damaged: int
    characters: Mapping[str, int]
    examples: tuple[tuple[str, str], ...]
    emptied: tuple[str, ...]

    @property
    def share(self) -> float:
        """The share of the words that are damaged, a fraction."""
        return self.n_damaged / max(self.n_words, 1)


def find_omissions(texts: Iterable[tuple[str, str]], normalise: Normaliser) -> Omissions:
    """Find what a normaliser takes out of texts.

    Args:
        texts: Each with its id.
        normalise: See `asr.text.normalise`.

    Example:
        >>> from asr.text.normalise import normaliser
        >>> lost = find_omissions([("a", "Sun 3, moon!")], normaliser("librispeech-1"))
        >>> lost.n_words, lost.n_damaged, lost.examples, lost.characters
        (3, 1, (('a', '3,'),), {'3': 1})
    """
    is_lost: dict[str, bool] = {}
    n_words = n_damaged = 0
    counts: Counter[str] = Counter()
    examples: list[tuple[str, str]] = []
    emptied = []
    for name, text in texts:
        words = text.split()
        n_words += len(words)
        if words and not normalise(text):
            emptied.append(name)
        for character in set(text) - is_lost.keys():
            is_lost[character] = _is_lost(character, normalise)
        if not any(is_lost[character] for character in set(text)):
            continue
        for word in words:
            lost = [character for character in word if is_lost[character]]
            counts.update(lost)
            if lost:
                n_damaged += 1
                examples += [(name, word)] * (len(examples) < _N_EXAMPLES)
    by_count = dict(counts.most_common())
    return Omissions(n_words, n_damaged, by_count, tuple(examples), tuple(emptied))


def _is_lost(character: str, normalise: Normaliser) -> bool:
    """Tell what is read aloud and leaves no trace, or has no width and splits a word."""
    left, split = normalise(f"a{character}a"), normalise("a a")
    category = unicodedata.category(character)
    if category == "Sc" or character in SIGNS:
        amounts = {normalise(text) for text in ("5", f"{character}5", f"5{character}")}
        return left in {normalise("aa"), split} and len(amounts) == 1
    if category[0] in "LN":
        return left in {normalise("aa"), split}
    return (category == "Cf" or category[0] == "M") and left == split
