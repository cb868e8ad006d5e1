from pathlib import Path

import pytest

from asr.cli import download as verb
from asr.cli import main
from asr.corpus.download import OPENSLR, Archive, Progress
from asr.errors import DownloadError


def test_each_subset_is_fetched_by_its_name_and_its_folder_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = []

    def pretend(archive: Archive, into: Path, *, progress: Progress) -> Path:
        asked.append(archive)
        progress(1, 2)
        return into / archive.folder

    monkeypatch.setattr(verb, "download", pretend)
    names = ["mini_librispeech/dev-clean-2", "librispeech/test-other"]
    assert main(["download", *names, "--output", str(tmp_path)]) == 0
    assert asked == [OPENSLR[name] for name in names]
    assert capsys.readouterr().out.splitlines() == [str(tmp_path / a.folder) for a in asked]


def test_the_vocabulary_the_lexicon_and_a_language_model_have_one_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(verb, "download", lambda archive, into, **_: into / archive.folder)
    assert main(["download", "librispeech/lm", "--output", str(tmp_path)]) == 0
    assert capsys.readouterr().out.split() == [
        str(tmp_path / "lm" / name)
        for name in (
            "librispeech-vocab.txt",
            "librispeech-lexicon.txt",
            "3-gram.pruned.1e-7.arpa.gz",
        )
    ]


def test_a_server_that_refuses_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object, **__: object) -> Path:
        raise DownloadError("https://there: the server says no")

    monkeypatch.setattr(verb, "download", refuse)
    assert main(["download", "librispeech/dev-clean", "--output", str(tmp_path)]) == 1
    assert capsys.readouterr().err == "asr: error: https://there: the server says no\n"


def test_an_unknown_name_is_refused_with_the_known_ones(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["download", "librispeech", "--output", str(tmp_path)])
    assert ended.value.code == 2
    assert "mini_librispeech/train-clean-5" in capsys.readouterr().err


def test_the_help_lists_every_subset(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["download", "--help"])
    told = capsys.readouterr().out
    assert [name for name in OPENSLR if f"  {name} " not in told] == []
