import sys
import unicodedata
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.errors import DataError
from asr.text.normalise import NORMALISERS, _whisper_english, normaliser

librispeech = normaliser("librispeech-1")
NAMES = sorted(NORMALISERS)


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


@pytest.mark.parametrize(
    ("written", "spelled"),
    [
        ("Sørensen, Łódź", "SORENSEN LODZ"),
        ("hors d’œuvre", "HORS D'OEUVRE"),
        ("Æsir Þórr Guðrún", "AESIR THORR GUDRUN"),
        ("Đà Nẵng ħobż Iŋŋa ƒ", "DA NANG HOBZ INGNGA F"),
        ("Kɔfi Əliyev kılıç", "KOFI ALIYEV KILIC"),
        ("Straße STRAẞE", "STRASSE STRASSE"),
        ("Hawaiʻi ŉ", "HAWAI'I 'N"),
        ("soft\u00adened", "SOFTENED"),
        ("\ufeffzero\u200bwidth no\u200d\u200cjoin\u2060er", "ZEROWIDTH NOJOINER"),
        ("e\u034f\u0301tude", "ETUDE"),
    ],
)
def test_librispeech_2_keeps_every_latin_word_whole(written: str, spelled: str) -> None:
    assert normaliser("librispeech-2")(written) == spelled


@given(st.text(st.characters(max_codepoint=0x7F)))
def test_librispeech_2_spells_ascii_as_librispeech_1_does(text: str) -> None:
    assert normaliser("librispeech-2")(text) == librispeech(text)


@pytest.mark.parametrize("name", NAMES)
@given(text=st.text() | st.text("aeøñéüǖ\u0301\u0308\u0323 '"))
def test_composed_and_decomposed_text_are_one(name: str, text: str) -> None:
    composed, decomposed = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))
    assert normaliser(name)(composed) == normaliser(name)(decomposed)


@pytest.mark.parametrize("name", ["librispeech-1", "librispeech-2"])
@given(text=st.text())
def test_only_letters_apostrophes_and_single_spaces_are_left(name: str, text: str) -> None:
    spelled = normaliser(name)(text)
    assert set(spelled) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ' ")
    assert spelled == " ".join(spelled.split())
    assert all(word.strip("'") for word in spelled.split())


@given(st.text() | st.text("aB'’ -é"), st.sampled_from(NAMES))
def test_normalising_is_idempotent(text: str, name: str) -> None:
    once = normaliser(name)(text)
    assert normaliser(name)(once) == once


@given(st.text())
def test_verbatim_1_composes_characters_and_changes_white_space_only(text: str) -> None:
    composed = unicodedata.normalize("NFC", text)
    assert normaliser("verbatim-1")(text).split() == composed.split()


def test_verbatim_1_keeps_single_spaces_only() -> None:
    assert normaliser("verbatim-1")("  Don’t\t stop,\n\u00a03-4! ") == "Don’t stop, 3-4!"


@pytest.mark.parametrize("name", ["librispeech", "librispeech-9", ""])
def test_an_unknown_name_is_refused_with_the_known_ones(name: str) -> None:
    with pytest.raises(DataError, match="librispeech-1, librispeech-2, uncased-1, verbatim-1"):
        normaliser(name)


@pytest.mark.corpus
def test_the_transcripts_of_librispeech_are_normalised_already(shared_data: Path) -> None:
    files = sorted((shared_data / "LibriSpeech").glob("*/*/*/*.trans.txt"))
    assert files
    for file in files:
        for line in file.read_text(encoding="utf-8").splitlines():
            text = line.partition(" ")[2]
            assert librispeech(text) == text


def test_uncased_texts_differ_only_in_case() -> None:
    assert normaliser("uncased-1")("Don't  STOP, (uh) Ärger!") == "don't stop, (uh) ärger!"


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        (
            "Mr. Smith paid $12.50 in 1984",
            "MISTER SMITH PAID TWELVE DOLLARS AND FIFTY CENTS IN NINETEEN EIGHTY FOUR",
        ),
        ("The colour isn't grey.", "the color is not gray"),
        ("soft\u00adhyphen", "softhyphen"),
    ],
)
def test_english_spells_numbers_and_case_alike(written: str, spoken: str) -> None:
    assert normaliser("english-1")(written) == normaliser("english-1")(spoken)


def test_english_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    _whisper_english.cache_clear()
    monkeypatch.setitem(sys.modules, "whisper_normalizer.english", None)
    with pytest.raises(DataError, match=r"pip install 'asr-ctc\[english\]'"):
        normaliser("english-1")("a text that no other test remembers")


def test_a_text_that_needs_nothing_is_told_from_one_that_does() -> None:
    """A hyphen at the end, which vanishes, makes the longer way necessary."""
    normalise = normaliser("librispeech-1")
    for length in range(6):
        for letters in product("A' ", repeat=length):
            text = "".join(letters)
            assert normalise(text) == normalise(f"{text}-")
