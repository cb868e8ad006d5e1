import subprocess
import sys
from pathlib import Path

import pytest
import safetensors
import safetensors.torch
import torch

from asr.errors import StoppedError, TrainingError
from asr.train.run import Run, run_folder, sole_training
from asr.train.state import STATE_FILE, RunState


def make_run(folder: Path, checkpoint_minutes: float = 60.0) -> Run[RunState]:
    model = torch.nn.Linear(2, 2)
    return Run(
        folder,
        RunState(fingerprint="same"),
        {"model": model},
        torch.optim.AdamW(model.parameters()),
        checkpoint_minutes=checkpoint_minutes,
    )


def test_a_run_resumes_where_the_saved_one_stood_and_counts_its_time(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    run.state.step, run.state.seconds = 7, 100.0
    run.save()

    resumed = make_run(tmp_path)

    assert resumed.state.step == 7
    assert resumed.seconds > 100.0


def test_one_wrong_bit_in_a_state_is_found(tmp_path: Path) -> None:
    make_run(tmp_path).save()
    path = tmp_path / STATE_FILE
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(TrainingError, match="is damaged: its numbers are not those"):
        make_run(tmp_path)


def test_counters_that_are_not_json_are_found(tmp_path: Path) -> None:
    make_run(tmp_path).save()
    path = tmp_path / STATE_FILE
    path.write_bytes(path.read_bytes().replace(rb"\"epoch\":", rb"\"epoch\";", 1))
    with pytest.raises(TrainingError, match="not a training state of this version"):
        make_run(tmp_path)


def test_a_state_of_an_older_version_has_no_digest(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    run.state.step = 7
    run.save()
    path = tmp_path / STATE_FILE
    with safetensors.safe_open(path, "pt") as file:
        counters = {"run": file.metadata()["run"]}
    safetensors.torch.save_file(safetensors.torch.load_file(path), path, counters)
    assert make_run(tmp_path).state.step == 7


def test_two_processes_cannot_train_in_one_folder(tmp_path: Path) -> None:
    script = (
        "import pathlib, sys, asr.train.run as r\n"
        "with r.sole_training(pathlib.Path(sys.argv[1])): pass"
    )
    other = [sys.executable, "-c", script, str(tmp_path)]
    with sole_training(tmp_path):
        refused = subprocess.run(other, check=False, capture_output=True, text=True)
        make_run(tmp_path).save()
        assert subprocess.run(other, check=False, capture_output=True).returncode == 1
    assert "another process trains here; wait for it" in refused.stderr
    assert subprocess.run(other, check=False).returncode == 0


@pytest.mark.parametrize(("checkpoint_minutes", "is_saved"), [(0.0, True), (60.0, False)])
def test_a_state_is_saved_when_it_is_due(
    tmp_path: Path, checkpoint_minutes: float, is_saved: bool
) -> None:
    make_run(tmp_path, checkpoint_minutes).save_if_due()

    assert (tmp_path / STATE_FILE).exists() == is_saved


def test_a_run_that_must_stop_saves_its_state_first(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    run.stop_if(False, "nowhere")
    assert not (tmp_path / STATE_FILE).exists()

    with pytest.raises(StoppedError, match="stopped after update 3; the state is saved"):
        run.stop_if(True, "after update 3")

    assert (tmp_path / STATE_FILE).exists()


def test_the_folder_of_a_run_lies_next_to_its_model(tmp_path: Path) -> None:
    assert run_folder(tmp_path / "exp" / "model") == tmp_path / "exp" / "model.run"
    assert (tmp_path / "exp" / "model.run").is_dir()
