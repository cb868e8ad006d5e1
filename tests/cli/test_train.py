import json
from collections.abc import Sequence
from pathlib import Path

import pytest

import asr
from asr.cli import main
from asr.config import Config, to_toml
from asr.corpus.manifest import write_manifest
from asr.corpus.utterance import Utterance


@pytest.fixture
def words(tmp_path: Path, small_config: Config, tiny_corpus: Sequence[Utterance]) -> list[str]:
    """The command that trains three epochs into tmp_path / "model"."""
    (tmp_path / "small.toml").write_text(to_toml(small_config))
    write_manifest(tmp_path / "all.jsonl", tiny_corpus)
    manifest, output = str(tmp_path / "all.jsonl"), str(tmp_path / "model")
    files = ["--train", manifest, "--dev", manifest, "--output", output]
    return ["train", str(tmp_path / "small.toml"), *files]


def test_a_model_is_made_and_every_epoch_has_its_line(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines[:-1]] == [["epoch", str(n)] for n in (1, 2, 3)]
    assert lines[-1].startswith(f"{tmp_path / 'model'}: best WER on all.jsonl ")
    metrics = (tmp_path / "model.run" / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["epoch"] for line in metrics] == [1, 2, 3]
    assert "`asr train " in (tmp_path / "model" / "README.md").read_text()
    asr.load_model(tmp_path / "model")


def test_a_value_can_be_changed_for_one_run(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "--set", "train.n_epochs=1", "--set", "model.cell=gru"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2
    config = asr.load_model(tmp_path / "model").checkpoint.config
    assert (config.train.n_epochs, config.model.cell) == (1, "gru")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ("train.n_epoch=1", "no key 'train.n_epoch' to set"),
        ("epochs=1", "no key 'epochs' to set"),
        ("model.cell=transformer", "model.cell must be one of"),
        ("train.n_epochs=many", "train.n_epochs must be int, got 'many'"),
    ],
)
def test_a_change_that_cannot_be_made_is_named_before_anything_is_written(
    change: str,
    complaint: str,
    words: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([*words, "--set", change]) == 1
    err = capsys.readouterr().err
    assert err.startswith("asr: error: ")
    assert complaint in err
    assert not list(tmp_path.glob("model*"))
