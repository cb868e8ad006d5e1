from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch

import asr
from asr.audio.write import write_waveform
from asr.checkpoint.directory import read_directory
from asr.checkpoint.engine import verify_model
from asr.checkpoint.golden import read_example
from asr.checkpoint.network import load_checkpoint
from asr.cli import main
from asr.confidence.calibration import Calibration
from asr.confidence.calibration_file import Fitted, read_calibrations, write_calibrations


def pack(model: Path, output: Path, *words: object) -> int:
    return main(["pack", str(model), "--output", str(output), *map(str, words)])


def test_a_packed_model_is_smaller_and_loads_and_checks_itself(
    model: Path, recordings: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "new" / "packed"
    assert pack(model, output, "--half") == 0
    verify_model(output)
    assert read_directory(output).trained_on == read_directory(model).trained_on
    weights = safetensors.torch.load_file(output / "model.safetensors")
    is_half = {name for name, tensor in weights.items() if tensor.dtype == torch.float16}
    assert is_half == {name for name in weights if name.startswith("model.")}
    sizes = [(folder / "model.safetensors").stat().st_size for folder in (model, output)]
    assert sizes[1] < sizes[0]
    assert asr.load_model(output).transcribe(recordings[0]).duration == 0.5
    assert (output / "model.onnx").is_file()
    assert capsys.readouterr().out.startswith(f"{output}: 0.")


def test_without_half_the_weights_stay_as_they_are(model: Path, tmp_path: Path) -> None:
    assert pack(model, tmp_path / "packed") == 0
    before, after = (
        safetensors.torch.load_file(folder / "model.safetensors")
        for folder in (model, tmp_path / "packed")
    )
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_example_and_card_are_the_models_own_unless_given(
    model: Path, recordings: list[Path], tmp_path: Path
) -> None:
    (tmp_path / "card.md").write_text("# Ours\n")
    given = ("--example", recordings[0], "--card", tmp_path / "card.md")
    assert pack(model, tmp_path / "own") == 0
    assert pack(model, tmp_path / "given", *given) == 0
    assert np.array_equal(read_example(tmp_path / "own"), read_example(model))
    assert (tmp_path / "own" / "README.md").read_text() == "# Knows nothing\n"
    assert len(read_example(tmp_path / "given")) == 8000
    assert (tmp_path / "given" / "README.md").read_text() == "# Ours\n"


def test_a_model_can_be_packed_onto_itself(model: Path, tmp_path: Path) -> None:
    assert pack(model, tmp_path / "mine") == 0
    assert pack(tmp_path / "mine", tmp_path / "mine", "--half") == 0
    weights = safetensors.torch.load_file(tmp_path / "mine" / "model.safetensors")
    assert weights["model.heads.text.weight"].dtype == torch.float16
    load_checkpoint(tmp_path / "mine")


@pytest.mark.parametrize(
    ("option", "reason"),
    [("--card", "cannot be read: No such file or directory"), ("--example", "no such file")],
)
def test_what_is_not_there_is_named_and_nothing_written(
    option: str, reason: str, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert pack(model, tmp_path / "packed", option, tmp_path / "gone") == 1
    assert capsys.readouterr().err == f"asr: error: {tmp_path / 'gone'}: {reason}\n"
    assert list(tmp_path.iterdir()) == []


def test_a_search_that_does_not_fit_leaves_the_model_that_was_there(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert pack(model, tmp_path / "packed") == 0
    before = read_directory(tmp_path / "packed").search
    (tmp_path / "text").write_text("ONE TWO\n")
    lm, lexicon = tmp_path / "own.lm", tmp_path / "lexicon.txt"
    assert main(["lm", "build", str(tmp_path / "text"), "--order", "2", "--output", str(lm)]) == 0
    lexicon.write_text("ONE W AH N\nTWO T UW\n")  # the model has no phones

    search = ("--search", "plain", "--lm", lm, "--lexicon", lexicon)
    assert pack(model, tmp_path / "packed", *search) == 1

    told = capsys.readouterr().err
    named = tmp_path / "packed" / "lexicon.txt"
    assert f"error: not packed: {named}: 2 of 2 words have no spelling" in told
    assert read_directory(tmp_path / "packed").search == before


def test_a_card_that_is_no_text_and_an_example_without_a_frame_are_refused(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "card.md").write_bytes(b"\xff\xfe")
    write_waveform(tmp_path / "click.wav", np.zeros(100), 16000)
    for option, name in (("--card", "card.md"), ("--example", "click.wav")):
        assert pack(model, tmp_path / "packed", option, tmp_path / name) == 1
        assert capsys.readouterr().err.startswith(f"asr: error: {tmp_path / name}: is ")
    assert not (tmp_path / "packed").exists()


def test_what_confidences_are_worth_is_packed_along(model: Path, tmp_path: Path) -> None:
    calibrations = {"beam-lm": Fitted(Calibration(-1.0, 0.5, 0.7, 2.0, -1.5), "dev: 3 words")}
    assert pack(model, tmp_path / "mine") == 0
    assert not (tmp_path / "mine" / "confidence.toml").exists()
    write_calibrations(tmp_path / "mine", calibrations)
    assert pack(tmp_path / "mine", tmp_path / "packed", "--half") == 0
    assert read_calibrations(tmp_path / "packed") == calibrations
    assert read_directory(tmp_path / "packed").calibrations == calibrations


def test_the_weights_of_the_graph_are_chosen(model: Path, tmp_path: Path) -> None:
    for weights in ("float32", "float16"):
        assert pack(model, tmp_path / weights, "--weights", weights) == 0
    sizes = [(tmp_path / w / "model.onnx").stat().st_size for w in ("float32", "float16")]
    assert sizes[1] < sizes[0]
