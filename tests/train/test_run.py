from pathlib import Path

import pytest
import torch

from asr.errors import StoppedError
from asr.train.run import STATE_FILE, Run, run_folder
from asr.train.state import RunState


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
