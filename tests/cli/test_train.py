import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

import asr
from asr.checkpoint.directory import WEIGHTS_FILE
from asr.checkpoint.network import load_checkpoint
from asr.cli import main
from asr.cli.watch import METRICS_FILE, RunWatcher
from asr.config import Config, to_toml
from asr.corpus.manifest import write_manifest
from asr.corpus.utterance import Utterance
from asr.train.progress import StepReport
from asr.train.state import STATE_FILE

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


def test_without_a_dev_set_no_wer_is_told(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    at = words.index("--dev")

    assert main([*words[:at], *words[at + 2 :]]) == 0

    *epochs, end = capsys.readouterr().out.splitlines()
    assert ["best" in line for line in epochs] == [False] * 3
    assert re.fullmatch(r".*/model: epoch 3, WER not measured, \d+ minutes", end)
    asr.load_model(tmp_path / "model")


def test_a_model_learns_on_from_another(words: list[str], tmp_path: Path) -> None:
    assert main(words) == 0
    (tmp_path / "model").rename(tmp_path / "first")
    (tmp_path / "model.run").rename(tmp_path / "first.run")
    slowly = ["--set", "optimiser.learning_rate=1e-12", "--set", "optimiser.weight_decay=0.0"]

    assert main([*words, *slowly, "--start", str(tmp_path / "first")]) == 0

    first, second = (load_file(tmp_path / name / WEIGHTS_FILE) for name in ("first", "model"))
    for name, tensor in second.items():
        torch.testing.assert_close(tensor, first[name], atol=1e-6, rtol=0.0)


def test_a_model_learns_on_with_a_layer_more(words: list[str], tmp_path: Path) -> None:
    assert main(words) == 0
    (tmp_path / "model").rename(tmp_path / "first")
    (tmp_path / "model.run").rename(tmp_path / "first.run")
    slowly = ["--set", "optimiser.learning_rate=1e-12", "--set", "optimiser.weight_decay=0.0"]
    n_layers = load_checkpoint(tmp_path / "first").config.model.n_layers
    grown = ["--set", f"model.n_layers={n_layers + 1}", "--start", str(tmp_path / "first")]

    assert main([*words, *slowly, *grown]) == 0

    first, second = (load_file(tmp_path / name / WEIGHTS_FILE) for name in ("first", "model"))
    for name, tensor in first.items():
        torch.testing.assert_close(second[name], tensor, atol=1e-6, rtol=0.0)
    new = {name for name in second if name not in first}
    assert new
    assert all(f"encoder.layers.{n_layers}." in name for name in new)


def manifest_with_digits(path: Path, corpus: Sequence[Utterance]) -> Path:
    """The corpus with a digit in one text, and another of which nothing is left."""
    changed = [replace(corpus[0], text="SUN 3 MOON"), replace(corpus[1], text="..."), *corpus[2:]]
    write_manifest(path, changed)
    return path


def test_what_the_normaliser_takes_out_of_the_texts_is_named_and_refused_if_it_is_much(
    words: list[str],
    tmp_path: Path,
    tiny_corpus: Sequence[Utterance],
    capsys: pytest.CaptureFixture[str],
) -> None:
    digits = manifest_with_digits(tmp_path / "digits.jsonl", tiny_corpus)
    words[words.index("--train") + 1] = str(digits)

    assert main(words) == 1
    told = "librispeech-1 takes letters, digits or symbols from 1 of "
    assert f"asr: error: {digits}: {told}" in capsys.readouterr().err

    assert main([*words, "--max-lost", "100"]) == 0
    err = capsys.readouterr().err
    assert f"asr: {digits}: {told}" in err
    assert f"leaves nothing of 1 text: {tiny_corpus[1].id}" in err


def test_a_recording_damaged_in_the_middle_ends_no_run_if_so_much_may_be(
    words: list[str], tmp_path: Path, tiny_corpus: Sequence[Utterance]
) -> None:
    whole = Path(tiny_corpus[0].audio_filepath)
    cut = tmp_path / whole.name
    cut.write_bytes(whole.read_bytes()[:-4000])
    train = tmp_path / "cut.jsonl"
    write_manifest(train, [replace(tiny_corpus[0], audio_filepath=cut), *tiny_corpus[1:]])
    words[words.index("--train") + 1] = str(train)

    assert main(words) == 1
    assert main([*words, "--max-damaged", "20"]) == 0


def test_a_value_can_be_changed_for_one_run(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "--set", "train.n_epochs=1", "--set", "model.cell=gru"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2
    config = asr.load_model(tmp_path / "model").model.config
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


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_run_after_its_step_with_the_state_saved(
    words: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    status: int,
) -> None:
    def stop_at_the_second(_: RunWatcher, report: StepReport) -> None:
        if report.step == 2:
            os.kill(os.getpid(), number)

    with monkeypatch.context() as interrupted:
        interrupted.setattr(RunWatcher, "on_step", stop_at_the_second)
        assert main([*words, "--set", "train.checkpoint_minutes=60.0"]) == status

    assert "stopped in epoch 1 after step 2; the state is saved" in capsys.readouterr().err
    assert not (tmp_path / "model").exists()
    with safe_open(tmp_path / "model.run" / "state.safetensors", "pt") as state:
        assert json.loads(state.metadata()["run"])["step"] == 2


# Runs `asr train` again and again, each time in a fork that is killed: by itself, in the middle of
# a write, before a rename, after a step or in validation, or from outside at a random moment.
KILLING = """
import os, random, signal, sys, time
from pathlib import Path
import asr.experiment
from asr.cli import main
from asr.cli.watch import RunWatcher, _tensorboard

MOMENTS = ((Path, "write_bytes"), (Path, "replace"), (RunWatcher, "on_step"))
MOMENTS += ((RunWatcher, "on_validation"),)


def die_at(number):
    left = [number]

    def dying(method, is_write):
        def run(self, value):
            left[0] -= 1
            if left[0] == 0:
                if is_write:
                    method(self, value[: len(value) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
            return method(self, value)

        return run

    for kind, name in MOMENTS:
        setattr(kind, name, dying(getattr(kind, name), name == "write_bytes"))


draw, seconds, n_kills = random.Random(0), float(sys.argv[1]), int(sys.argv[2])
for attempt in range(n_kills + 1):
    is_last, is_outside = attempt == n_kills, attempt % 3 == 0
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        if not (is_last or is_outside):
            die_at(draw.randint(1, 12))
        os._exit(main(sys.argv[3:]))
    draw.random()
    if is_outside and not is_last:
        time.sleep(draw.random() * seconds)
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    print(os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0, file=sys.stderr)
print("took", time.monotonic() - began, file=sys.stderr)
"""


@pytest.mark.slow
def test_a_run_killed_at_random_moments_ends_with_the_bits_of_one_that_was_not(
    manifest: Path, tmp_path: Path
) -> None:
    def run(output: Path, seconds: float, n_kills: int) -> list[str]:
        """Return the signals that ended the runs, and how long the last one took."""
        files = ["--train", str(manifest), "--dev", str(manifest), "--output", str(output)]
        changes = ["--set", "train.n_epochs=12", "--set", "train.checkpoint_minutes=0.0"]
        words = ["train", str(CONF / "tiny.toml"), "--threads", "1", *files, *changes]
        command = [sys.executable, "-c", KILLING, str(seconds), str(n_kills), *words]
        ended = subprocess.run(command, check=True, capture_output=True, text=True)
        lines = ended.stderr.splitlines()
        return [line for line in lines if line in {"0", "9"}] + lines[-1].split()[1:]

    _, took = run(tmp_path / "whole", 0.0, n_kills=0)

    *ends, _ = run(tmp_path / "killed", float(took) / 8, n_kills=30)

    assert ends.count("9") >= 15
    assert ends[-1] == "0"
    whole, killed = (load_file(tmp_path / f"{n}.run" / STATE_FILE) for n in ("whole", "killed"))
    assert whole.keys() == killed.keys()
    for name, tensor in whole.items():
        assert torch.equal(tensor, killed[name]), name
    assert (tmp_path / "killed" / WEIGHTS_FILE).read_bytes() == (
        tmp_path / "whole" / WEIGHTS_FILE
    ).read_bytes()


@pytest.mark.slow
def test_torchrun_makes_the_model_of_one_process_with_two(words: list[str], tmp_path: Path) -> None:
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    command = [*torchrun, "-m", "asr", *words, "--device", "cpu"]
    assert main([*words[:-1], str(tmp_path / "alone")]) == 0

    ended = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)

    assert ended.returncode == 0, ended.stderr
    assert [line.split()[0] for line in ended.stdout.splitlines()[:3]] == ["epoch"] * 3
    alone, two = (
        [json.loads(line) for line in (tmp_path / folder / METRICS_FILE).read_text().splitlines()]
        for folder in ("alone.run", "model.run")
    )
    assert [epoch["loss"] for epoch in two] == pytest.approx([e["loss"] for e in alone], rel=0.01)
    card = (tmp_path / "model" / "README.md").read_text()
    assert "`torchrun --nnodes=1 --nproc-per-node=2 -m asr train " in card
