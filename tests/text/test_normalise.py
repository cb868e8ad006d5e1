from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.errors import DataError
from asr.text.normalise import NORMALISERS, normaliser

librispeech = normaliser("librispeech-1")


@pytest.mark.parametrize(
    ("written", "spelled"),
    [
        ("Hello, world!", "HELLO WORLD"),
        ("it's  the boys' hat", "IT'S THE BOYS' HAT"),
        ("don’t don‘t donʼt don′t don`t don´t don＇t", " ".join(["DON'T"] * 7)),
        ("well-known—twice", "WELL KNOWN TWICE"),
        ("3rd of 12", "RD OF"),
        ("café Zürich naïve Ångström", "CAFE ZURICH NAIVE ANGSTROM"),
        ("cafe\u0301", "CAFE"),
        ("ﬁne ａｂｃ", "FINE ABC"),
        ("Straße", "STRASSE"),
        ("日本 привет", ""),
        ("rock ' n ' roll ''", "ROCK N ROLL"),
        ("'tis ''quoted''", "'TIS QUOTED"),
        ("A.\tB\n\u00a0C\u2003D", "A B C D"),
        ("", ""),
        (" \n", ""),
    ],
)
def test_librispeech_1_spells_as_the_corpus_does(written: str, spelled: str) -> None:
    assert librispeech(written) == spelled


@given(st.text())
def test_librispeech_1_leaves_only_letters_apostrophes_and_single_spaces(text: str) -> None:
    spelled = librispeech(text)
    assert set(spelled) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ' ")
    assert spelled == " ".join(spelled.split())
    assert all(word.strip("'") for word in spelled.split())


@given(st.text() | st.text("aB'’ -é"), st.sampled_from(sorted(NORMALISERS)))
def test_normalising_is_idempotent(text: str, name: str) -> None:
    once = normaliser(name)(text)
    assert normaliser(name)(once) == once


@given(st.text())
def test_verbatim_1_changes_white_space_only(text: str) -> None:
    assert normaliser("verbatim-1")(text).split() == text.split()


def test_verbatim_1_keeps_single_spaces_only() -> None:
    assert normaliser("verbatim-1")("  Don’t\t stop,\n\u00a03-4! ") == "Don’t stop, 3-4!"


@pytest.mark.parametrize("name", ["librispeech", "librispeech-2", ""])
def test_an_unknown_name_is_refused_with_the_known_ones(name: str) -> None:
    with pytest.raises(DataError, match="librispeech-1, verbatim-1"):
        normaliser(name)


@pytest.mark.corpus
def test_the_transcripts_of_librispeech_are_normalised_already(shared_data: Path) -> None:
    files = sorted((shared_data / "LibriSpeech").glob("*/*/*/*.trans.txt"))
    assert files
    for file in files:
        for line in file.read_text(encoding="utf-8").splitlines():
            text = line.partition(" ")[2]
            assert librispeech(text) == text
