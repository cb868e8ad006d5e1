"""Pronouncer: a dictionary, and for words that it lacks an n-gram model of its graphones.

The model is one of `asr.lm`, with graphones for words and words for segments.
"""

import logging
from collections.abc import Callable, Iterable
from itertools import chain

import numpy as np

from asr.errors import DataError, counted
from asr.lexicon.g2p.graphones import MAX_UNITS, divide, n_choices, parts
from asr.lexicon.g2p.spelling_search import N_SPECIAL, Graphones, make_beam, spell
from asr.lexicon.read import Dictionary, Units
from asr.lm.counts import count_ngrams, kept_ngrams
from asr.lm.kneser_ney import estimate
from asr.lm.ngram import Nodes
from asr.lm.vocabulary import END_ID, START_ID, Vocabulary

ORDER = 8  # graphones in the longest n-grams
BEAM_SIZE = 64
BEAM_THRESHOLD = 10.0  # nats

Advance = Callable[[int, int | None], None]

_CHUNK = 2000  # words pronounced at a time

_LOG = logging.getLogger(__name__)


def pronounce(
    words: Iterable[str], dictionary: Dictionary, advance: Advance = lambda _done, _all: None
) -> Dictionary:
    """Pronounce words by a dictionary, and those that it lacks by a model learned from it.

    The pronunciations do not depend on the order of the words.

    Args:
        words: Spelled as in the dictionary.
        dictionary: See `asr.lexicon.read.read_dictionary`.
        advance: Called with the number of words done, and of all words that the dictionary lacks.

    Returns:
        The words in order of their first appearance, those of the dictionary with all their
        pronunciations, the others with the most probable one. A word is left out if the dictionary
        lacks one of its letters, or if all its letters are found to be silent.

    Raises:
        DataError: A word needs the model, and there is nothing to learn it from.

    Example:
        >>> dictionary = {"AT": (("a", "t"),), "HAT": (("h", "a", "t"),), "AX": (("a", "k", "s"),)}
        >>> pronounce(["HAX", "AT"], dictionary)
        {'HAX': (('h', 'a', 'k', 's'),), 'AT': (('a', 't'),)}
    """
    distinct = dict.fromkeys(words)
    pronunciations = {word: dictionary[word] for word in distinct if word in dictionary}
    if lacking := [word for word in distinct if word not in dictionary]:
        pronouncer = Pronouncer(dictionary)
        pronounceable = [word for word in lacking if pronouncer.letters.keys() >= set(word)]
        pronounced = pronouncer.pronounce(pronounceable, advance)
        pronunciations |= {word: (units,) for word, units in pronounced.items() if units}
    return {word: pronunciations[word] for word in distinct if word in pronunciations}


class Pronouncer:
    """Pronounces words by letters in context.

    Args:
        dictionary: What to learn from. Pronunciations with more than two units per letter (`MPH`,
            miles per hour) are skipped, and their number is logged.

    Attributes:
        letters: The letters of the dictionary, numbered.

    Raises:
        DataError: There is no pronunciation to learn from.
    """

    def __init__(self, dictionary: Dictionary) -> None:
        entries = [(word, units) for word, variants in dictionary.items() for units in variants]
        self.letters = _number(letter for word, _ in entries for letter in word)
        units = _number(unit for _, pronunciation in entries for unit in pronunciation)
        divided = divide(
            [[self.letters[letter] for letter in word] for word, _ in entries],
            [[units[unit] for unit in pronunciation] for _, pronunciation in entries],
            len(units),
        )
        learned = [graphones for graphones in divided if graphones]
        _check(len(learned), len(entries))
        n_of_letter = n_choices(len(units))
        silent = range(0, len(self.letters) * n_of_letter, n_of_letter)
        known = sorted({*chain.from_iterable(learned), *silent})  # each letter can be silent
        letters_of, units_of = zip(
            *(parts(graphone, len(units)) for graphone in known), strict=True
        )
        names = list(units)
        self._units: list[Units] = [tuple(names[unit] for unit in own) for own in units_of]
        self._graphones = Graphones(
            _estimate(learned, known),
            np.searchsorted(letters_of, range(len(self.letters) + 1)).astype(np.int32),
            np.array([len(own) > 0 for own in units_of]),
        )

    def pronounce(
        self, words: Iterable[str], advance: Advance = lambda _done, _all: None
    ) -> dict[str, Units]:
        """Find how words are most probably pronounced.

        Args:
            words: Each has at least one letter, and only those of `letters`.
            advance: Called with the number of words done, and of all words.

        Returns:
            The units of each word, sorted by word; none if all its letters are silent.
        """
        in_order = sorted(set(words))
        longest = max(map(len, in_order), default=0)
        beam = make_beam(longest, BEAM_SIZE)
        pronounced = {}
        for start in range(0, len(in_order), _CHUNK):
            chunk = in_order[start : start + _CHUNK]
            letters = np.full((len(chunk), longest), -1, np.int32)
            for row, word in zip(letters, chunk, strict=True):
                row[: len(word)] = [self.letters[letter] for letter in word]
            is_shared = np.logical_and.accumulate(letters[1:] == letters[:-1], axis=1)
            n_shared = np.array([0, *is_shared.sum(axis=1)], np.int32)  # with the word before
            found = np.empty_like(letters)
            spell(self._graphones, letters, n_shared, beam, BEAM_THRESHOLD, found)
            for word, graphones in zip(chunk, found.tolist(), strict=True):
                pronounced[word] = tuple(
                    unit for i in graphones if i >= 0 for unit in self._units[i]
                )
            advance(start + len(chunk), len(in_order))
        return pronounced


def _number(names: Iterable[str]) -> dict[str, int]:
    return {name: i for i, name in enumerate(sorted(set(names)))}


def _check(n_learned: int, n_entries: int) -> None:
    """Log how many pronunciations are skipped; refuse to learn from none."""
    if not n_learned:
        raise DataError(
            f"expected a dictionary to learn from, got {counted(n_entries, 'pronunciation')}, none "
            f"with at most {MAX_UNITS} units per letter"
        )
    if n_learned < n_entries:
        _LOG.info(
            "skipped for more than %d units per letter: %s of %s",
            MAX_UNITS,
            f"{n_entries - n_learned:,}",
            counted(n_entries, "pronunciation"),
        )


def _estimate(words: list[list[int]], known: list[int]) -> Nodes:
    """Estimate a model whose words are graphones, in the order of `known`."""
    vocabulary = Vocabulary.of(map(str, known))
    number = {graphone: i for i, graphone in enumerate(known, N_SPECIAL)}
    tokens = (
        token for word in words for token in (START_ID, *map(number.__getitem__, word), END_ID)
    )
    levels = list(count_ngrams(np.fromiter(tokens, np.int32), len(vocabulary), ORDER))
    return estimate(levels, kept_ngrams(levels, len(vocabulary)), vocabulary).nodes
