import re
from pathlib import Path

import pytest

from asr.cli import main
from asr.corpus.manifest import write_manifest
from asr.corpus.utterance import Utterance
from asr.lexicon.read import read_lexicon
from asr.text.normalise import normaliser

DICTIONARY = "tat t a t\natta a t a\nhat a t\nhats a t s\nhats(2) h a t s\ntasta t a s t a\n"


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path, Path]:
    """A dictionary, a list of words and where the lexicon goes."""
    dictionary, words = tmp_path / "small.dict", tmp_path / "words.txt"
    dictionary.write_text(DICTIONARY)
    words.write_text("SAT\nHATS\n")
    return dictionary, words, tmp_path / "new" / "lexicon.txt"


def lexicon(dictionary: Path, *words: Path, output: Path) -> int:
    return main(["lexicon", str(dictionary), "--words", *map(str, words), "--output", str(output)])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("words.json", '{"audio_filepath": "data/sat.wav", "text": "hats"}\n'),
        ("words.tsv", "path\tsentence\nsat.mp3\thats\n"),
    ],
)
def test_of_lists_of_recordings_only_the_texts_are_read(
    name: str,
    content: str,
    files: tuple[Path, Path, Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    dictionary, words, output = files
    words = words.with_name(name)
    words.write_text(content.replace("hats", "hats 3"))
    assert lexicon(dictionary, words, output=output) == 0
    assert re.search(r"as in 3 \(\S*sat\.", capsys.readouterr().err)
    assert [word for word, _ in read_lexicon(output, normaliser("librispeech-1"))] == [
        "HATS",
        "HATS",
    ]


def test_a_table_of_symbols_gives_the_words_among_them(files: tuple[Path, Path, Path]) -> None:
    dictionary, words, output = files
    words.write_text("<eps> 0\n!SAT 1\nHATS 2\n#0 3\n")
    assert lexicon(dictionary, words, output=output) == 0
    found = read_lexicon(output, normaliser("librispeech-1"))
    assert {word for word, _ in found} == {"HATS"}


def test_words_of_the_dictionary_come_first_and_comments_count_them(
    files: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    dictionary, words, output = files
    assert lexicon(dictionary, words, output=output) == 0
    summary = "1 word of the dictionary with 2 pronunciations; 1 more learned from it"
    assert output.read_text() == (
        f"# asr lexicon {dictionary} --words {words} --output {output}\n"
        f"# {summary}\n"
        "HATS a t s\nHATS h a t s\nSAT s a t\n"
    )
    assert capsys.readouterr() == (f"{output}: {summary}\n", "")


def test_words_come_from_transcripts_too(files: tuple[Path, Path, Path], tmp_path: Path) -> None:
    dictionary, words, output = files
    manifest = tmp_path / "train.jsonl"
    write_manifest(
        manifest, [Utterance("1", Path("1.wav"), text="Hat, that!"), Utterance("2", Path("2.wav"))]
    )
    assert lexicon(dictionary, words, manifest, output=output) == 0
    found = read_lexicon(output, normaliser("librispeech-1"))
    assert [word for word, _ in found] == ["HATS", "HATS", "HAT", "SAT", "THAT"]


def test_the_same_files_give_the_same_bytes(files: tuple[Path, Path, Path]) -> None:
    dictionary, words, output = files
    assert lexicon(dictionary, words, output=output) == 0
    first = output.read_bytes()
    assert lexicon(dictionary, words, output=output) == 0
    assert output.read_bytes() == first


def test_words_with_a_letter_that_the_dictionary_lacks_are_named_and_left_out(
    files: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    dictionary, words, output = files
    words.write_text("QUIZ\nSAT\n" + "".join(f"ZA{'A' * i}\n" for i in range(6)))
    assert lexicon(dictionary, words, output=output) == 0
    assert "7 words left out" in (error := capsys.readouterr().err)
    assert error.endswith("are silent: QUIZ, ZA, ZAA, ZAAA, ZAAAA and 2 more\n")


def test_what_the_normaliser_takes_out_of_words_is_named(
    files: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    dictionary, words, output = files
    words.write_text("SAT\n3TAT\n\u0434\u0430\n")
    assert lexicon(dictionary, words, output=output) == 0
    told = capsys.readouterr().err
    assert "takes letters, digits or symbols from 2 of 3 words" in told
    assert "as in 3TAT (line 2), \u0434\u0430 (line 3)" in told


@pytest.mark.parametrize(
    ("dictionary", "words", "message"),
    [
        (None, "SAT\n", "small.dict: cannot be read"),
        ("", "SAT\n", "small.dict: expected a word a line, got none"),
        ("sat\n", "SAT\n", "small.dict: expected words with pronunciations"),
        ("mph m ai l z p er h ou r\n", "SAT\n", "expected a dictionary to learn from"),
        (DICTIONARY, None, "words.txt: cannot be read"),
        (DICTIONARY, "?\n", "words.txt: expected words"),
        (DICTIONARY, "QUIZ\n", "none of the words can be pronounced"),
    ],
)
def test_files_that_are_of_no_use_are_refused_in_a_line(
    files: tuple[Path, Path, Path],
    dictionary: str | None,
    words: str | None,
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for path, content in zip(files, (dictionary, words), strict=False):
        path.unlink()
        if content is not None:
            path.write_text(content)
    assert lexicon(*files[:2], output=files[2]) == 1
    error = capsys.readouterr().err
    assert error.startswith("asr: error: ")
    assert message in error
    assert not files[2].exists()
