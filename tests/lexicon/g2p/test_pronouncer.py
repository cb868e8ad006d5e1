import logging
from itertools import product
from pathlib import Path

import pytest

from asr.errors import DataError
from asr.lexicon.g2p.pronouncer import Pronouncer, pronounce
from asr.lexicon.read import Dictionary, read_dictionary
from asr.text.normalise import normaliser

CONSONANTS = {"B": ("b",), "SH": ("S",), "T": ("t",), "X": ("k", "s")}
VOWELS = {"A": ("a",), "O": ("o",)}
DICTIONARY: Dictionary = {
    "TAT": (("t", "a", "t"),),
    "ATTA": (("a", "t", "a"),),
    "HAT": (("a", "t"),),
    "HATS": (("a", "t", "s"), ("h", "a", "t", "s")),
    "TASTA": (("t", "a", "s", "t", "a"),),
}


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
    words = {f"{a}C{b}": f"{a}{'s' if b in 'EI' else 'k'}{b}" for a in "AEIO" for b in "AEIO"}
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
    assert "skipped for more than 2 units per letter: 1 of 9 pronunciations" in caplog.text
    assert pronouncer.pronounce(["TX"]) == {"TX": ("t", "k", "s")}


@pytest.mark.parametrize("dictionary", [{}, {"A": (("p", "e", "t"),)}])
def test_nothing_to_learn_from_is_refused(dictionary: Dictionary) -> None:
    with pytest.raises(DataError, match="expected a dictionary to learn from"):
        Pronouncer(dictionary)


def test_words_of_the_dictionary_have_all_its_pronunciations_and_others_one() -> None:
    found = pronounce(["SAT", "HATS"], DICTIONARY)
    assert found == {"SAT": (("s", "a", "t"),), "HATS": DICTIONARY["HATS"]}
    assert list(found) == ["SAT", "HATS"]


def test_nothing_is_learned_where_no_word_is_lacking() -> None:
    teaches_nothing: Dictionary = {"A": (("p", "e", "t"),)}
    assert pronounce(["A"], teaches_nothing) == teaches_nothing


def test_a_word_with_an_unknown_letter_and_one_that_is_silent_are_left_out() -> None:
    silent = {f"{word}H": units for word, units in DICTIONARY.items()}
    assert pronounce(["TATZ", "TAAT"], DICTIONARY | silent).keys() == {"TAAT"}


def test_pronunciations_do_not_depend_on_the_order_of_the_words() -> None:
    words = ["STAT", "HAHA", "TASTAT", "AHS"]
    assert pronounce(words, DICTIONARY) == pronounce(reversed(words), DICTIONARY)
    assert pronounce(words[:1], DICTIONARY).items() <= pronounce(words, DICTIONARY).items()


@pytest.mark.corpus
def test_words_that_a_dictionary_of_english_lacks_are_mostly_pronounced_right(
    shared_data: Path,
) -> None:
    """Learning from 4998 of its words, 123 of 200 others came out as it has them."""
    path = shared_data / "lexicon" / "cmudict-en-us.dict"
    if not path.exists():
        pytest.skip(f"needs {path}")
    dictionary = read_dictionary(path, normaliser("librispeech-1"))
    held_out = list(dictionary)[::600][:200]
    learned = {word: dictionary[word] for word in list(dictionary)[1::25] if word not in held_out}
    found = pronounce(held_out, learned)
    assert sum(found[word][0] in dictionary[word] for word in held_out) > 110
