import json
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

import asr
from asr.cli import main
from asr.config import Config, to_toml
from asr.corpus.manifest import write_manifest
from asr.corpus.utterance import Utterance

CONF = Path(__file__).parents[2] / "conf"


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


def begin(manifest: Path, output: Path) -> tuple[subprocess.Popen[bytes], Path]:
    """Start `asr train` as a process; return it when it has saved, or ended, and its state."""
    state = output.with_name(f"{output.name}.run") / "state.safetensors"
    before = state.stat().st_mtime_ns if state.exists() else 0
    files = ["--train", str(manifest), "--dev", str(manifest), "--output", str(output)]
    changes = ["--set", "train.n_epochs=15", "--set", "train.checkpoint_minutes=0.0"]
    command = [sys.executable, "-m", "asr", "train", str(CONF / "tiny.toml"), "--threads", "1"]
    process = subprocess.Popen([*command, *files, *changes], stdout=subprocess.DEVNULL)
    while process.poll() is None and not (state.exists() and state.stat().st_mtime_ns > before):
        time.sleep(0.005)
    return process, state


@pytest.mark.slow
def test_a_run_killed_again_and_again_ends_with_the_bits_of_one_that_was_not(
    manifest: Path, tmp_path: Path
) -> None:
    process, expected = begin(manifest, tmp_path / "whole")
    began = time.monotonic()
    assert process.wait() == 0
    seconds = time.monotonic() - began
    moments = random.Random(0)
    n_killed = 0
    for _ in range(4):
        process, state = begin(manifest, tmp_path / "killed")
        time.sleep(moments.random() * seconds / 4)
        process.kill()
        n_killed += process.wait() != 0

    process, state = begin(manifest, tmp_path / "killed")

    assert process.wait() == 0
    assert n_killed > 1
    tensors, others = load_file(expected), load_file(state)
    assert tensors.keys() == others.keys()
    for name, tensor in tensors.items():
        assert torch.equal(tensor, others[name]), name
