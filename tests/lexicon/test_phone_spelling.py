import pytest

from asr.errors import DataError
from asr.lexicon.phone_spelling import PhoneSpeller

ENTRIES = [("READ", ("R", "IY", "D")), ("READ", ("R", "EH", "D")), ("A", ("AH",))]


def test_a_word_is_spelled_by_its_first_pronunciation() -> None:
    speller = PhoneSpeller(ENTRIES)

    assert speller.spell("A READ A") == ["AH", "R", "IY", "D", "AH"]


def test_the_table_has_the_phones_that_texts_can_need() -> None:
    table = PhoneSpeller(ENTRIES).table()

    assert table.tokens == ("<blank>", "AH", "D", "IY", "R")
    assert table.ids_of(["R", "AH"]) == [4, 1]


def test_a_word_that_the_lexicon_lacks_is_refused_by_its_name() -> None:
    with pytest.raises(DataError, match="'BOOK'"):
        PhoneSpeller(ENTRIES).spell("READ BOOK")


def test_a_list_of_words_is_no_lexicon_of_phones() -> None:
    with pytest.raises(DataError, match="without pronunciations"):
        PhoneSpeller([("READ", ())])
