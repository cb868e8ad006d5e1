import logging
from itertools import product

import pytest

from asr.errors import DataError
from asr.lexicon.dictionary import Dictionary
from asr.lexicon.g2p.pronouncer import Pronouncer

CONSONANTS = {"B": ("b",), "SH": ("S",), "T": ("t",), "X": ("k", "s")}
VOWELS = {"A": ("a",), "O": ("o",)}


def regular(n_syllables: int) -> Dictionary:
    """All words of consonants and vowels in turn, and how they are always pronounced."""
    syllables = {c + v: CONSONANTS[c] + VOWELS[v] for c, v in product(CONSONANTS, VOWELS)}
    words = product(syllables, repeat=n_syllables)
    return {
        "".join(word): (tuple(unit for syllable in word for unit in syllables[syllable]),)
        for word in words
    }


@pytest.fixture(scope="module")
def pronouncer() -> Pronouncer:
    return Pronouncer(regular(1) | regular(2))


def test_longer_words_of_a_regular_language_are_pronounced_right(pronouncer: Pronouncer) -> None:
    expected = {word: units for word, (units,) in regular(3).items()}
    assert pronouncer.pronounce(expected) == expected


def test_what_a_letter_stands_for_depends_on_its_neighbours() -> None:
    words = {
        f"{a}{c}{b}": f"{a}{'s' if b in 'EI' else 'k'}{b}"
        for a, b in product("AEIO", "AEIO")
        for c in "C"
    }
    pronouncer = Pronouncer({word: (tuple(units),) for word, units in words.items()})
    assert pronouncer.pronounce(["ACECO"]) == {"ACECO": ("A", "s", "E", "k", "O")}


def test_progress_is_reported_up_to_the_last_word(pronouncer: Pronouncer) -> None:
    calls: list[tuple[int, int | None]] = []
    pronouncer.pronounce(regular(3), lambda n_done, n_all: calls.append((n_done, n_all)))
    assert calls == [(512, 512)]


def test_no_words_are_no_pronunciations(pronouncer: Pronouncer) -> None:
    assert pronouncer.pronounce([]) == {}


def test_abbreviations_teach_nothing_and_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        pronouncer = Pronouncer(regular(1) | {"TX": (("t", "e", "k", "s", "a", "s"),)})
    assert "1 of 9 pronunciations have more than 2 units per letter" in caplog.text
    assert pronouncer.pronounce(["TX"]) == {"TX": ("t", "k", "s")}


@pytest.mark.parametrize("dictionary", [{}, {"A": (("p", "e", "t"),)}])
def test_nothing_to_learn_from_is_refused(dictionary: Dictionary) -> None:
    with pytest.raises(DataError, match="expected a dictionary to learn from"):
        Pronouncer(dictionary)
