from pathlib import Path

import pytest

from asr.errors import DataError
from asr.lexicon.dictionary import read_dictionary
from asr.text.normalise import normaliser

SPELL = normaliser("librispeech-1")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "words.dict"
    path.write_text("read R IY D\nread(2) R EH D # the past\na. EY\nA EY\na AH\nx-y X\n")
    return path


def test_a_dictionary_has_each_pronunciation_once_in_the_files_order(path: Path) -> None:
    assert read_dictionary(path, SPELL) == {
        "READ": (("R", "IY", "D"), ("R", "EH", "D")),
        "A": (("EY",), ("AH",)),
    }


def test_a_list_of_words_without_pronunciations_is_refused(path: Path) -> None:
    path.write_text("read\n")
    with pytest.raises(DataError, match=r"words.dict: .*pronunciations, got 'READ' alone"):
        read_dictionary(path, SPELL)
