from pathlib import Path

import pytest

from asr.errors import DataError
from asr.lexicon.read import read_columns, read_dictionary, read_lexicon
from asr.text.normalise import normaliser

SPELL = normaliser("librispeech-1")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "lexicon.txt"
    path.write_text("# a comment\nREAD\tR  IY D \n\n  READ(2) R EH D # the past\nA'S EY Z\n")
    return path


def test_a_line_is_a_word_and_its_units(path: Path) -> None:
    assert read_lexicon(path, SPELL) == [
        ("READ", ("R", "IY", "D")),
        ("READ", ("R", "EH", "D")),
        ("A'S", ("EY", "Z")),
    ]


def test_columns_are_the_same_with_units_unsplit(path: Path) -> None:
    words, pronunciations = read_columns(path, SPELL)
    split = [tuple(units.split()) for units in pronunciations]
    assert list(zip(words, split, strict=True)) == read_lexicon(path, SPELL)


def test_words_without_units_are_a_list_of_words(path: Path) -> None:
    path.write_text("read  # a verb\nREAD\nbook\n")
    assert read_lexicon(path, SPELL) == [("READ", ()), ("READ", ()), ("BOOK", ())]


def test_words_are_normalised_and_units_are_not(path: Path) -> None:
    path.write_text("caf\u00e9 k ae1 f ey\n")
    assert read_lexicon(path, SPELL) == [("CAFE", ("k", "ae1", "f", "ey"))]


def test_what_is_not_one_word_once_normalised_is_left_out(path: Path) -> None:
    path.write_text("x-y EH K S W AY\n... D AA T S\nA EY\n")
    assert read_lexicon(path, SPELL) == [("A", ("EY",))]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "expected a word a line, got none"),
        ("# only a comment\n", "expected a word a line, got none"),
        ("A EY\nBOOK\n", "some words have pronunciations, 'BOOK' has none"),
    ],
)
def test_what_is_no_lexicon_is_refused(content: str, message: str, path: Path) -> None:
    path.write_text(content)
    with pytest.raises(DataError, match=f"lexicon.txt: {message}"):
        read_lexicon(path, SPELL)


def test_a_dictionary_has_each_pronunciation_once_in_the_files_order(path: Path) -> None:
    path.write_text("read R IY D\nread(2) R EH D # the past\na. EY\nA EY\na AH\nx-y X\n")
    assert read_dictionary(path, SPELL) == {
        "READ": (("R", "IY", "D"), ("R", "EH", "D")),
        "A": (("EY",), ("AH",)),
    }


def test_a_list_of_words_is_no_dictionary(path: Path) -> None:
    path.write_text("read\n")
    with pytest.raises(DataError, match=r"lexicon.txt: .*pronunciations, got 'READ' alone"):
        read_dictionary(path, SPELL)
