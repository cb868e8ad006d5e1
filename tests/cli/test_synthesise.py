from pathlib import Path

import pytest

from asr.cli import main
from asr.corpus.librispeech import read_librispeech


def test_a_corpus_is_made_in_librispeechs_layout(tmp_path: Path) -> None:
    words = ["synthesise", str(tmp_path / "tiny"), "--utterances", "5", "--speakers", "2"]
    assert main(words) == 0
    found = read_librispeech(tmp_path / "tiny")
    assert (len(found.utterances), found.problems) == (5, ())
    assert [path.name for path in tmp_path.iterdir()] == ["tiny"]


def test_a_folder_that_is_there_is_not_written_into(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["synthesise", str(tmp_path), "--utterances", "1", "--speakers", "1"]
    assert main(words) == 1
    assert "exists; name a new folder" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
