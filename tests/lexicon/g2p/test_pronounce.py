from pathlib import Path

import pytest

from asr.lexicon.dictionary import Dictionary, read_dictionary
from asr.lexicon.g2p.pronounce import pronounce
from asr.text.normalise import normaliser

DICTIONARY: Dictionary = {
    "TAT": (("t", "a", "t"),),
    "ATTA": (("a", "t", "a"),),
    "HAT": (("a", "t"),),
    "HATS": (("a", "t", "s"), ("h", "a", "t", "s")),
    "TASTA": (("t", "a", "s", "t", "a"),),
}


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
