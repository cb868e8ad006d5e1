import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import safetensors.torch
from numpy.typing import NDArray

from asr.checkpoint.seal import SEAL_FILE
from asr.cli import doctor, main
from asr.errors import AudioError


def test_everything_works_here(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", str(model)]) == 0
    lines = capsys.readouterr().out.splitlines()
    things = [line.split()[0] for line in lines]
    assert {"asr", "python", "onnxruntime", "soundfile", "threads", "kept"} <= {*things}
    assert [line.split()[1:] for line in lines if line.startswith("audio")] == [
        [ending, "works"] for ending in doctor.FORMATS
    ]
    assert lines[-1].endswith("works: its golden example comes out; search: greedy")


def test_without_a_folder_to_keep_anything_it_says_what_that_costs(
    model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "kept_folder", lambda _: None)
    assert main(["doctor", str(model)]) == 0
    (line,) = [x for x in capsys.readouterr().out.splitlines() if x.startswith("kept ")]
    assert line.split(maxsplit=1)[1] == "nothing, so that each start takes seconds longer"


def test_without_a_name_every_shipped_model_is_checked(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(model, tmp_path / "ours")
    monkeypatch.setattr("asr.checkpoint.names.MODELS", tmp_path)
    assert main(["doctor"]) == 0
    assert "model ours" in capsys.readouterr().out


def test_a_model_whose_golden_example_comes_out_otherwise_is_broken(
    model: Path, own_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = safetensors.torch.load_file(own_model / "model.safetensors")
    weights["front_end.mean"] += 3.0
    safetensors.torch.save_file(weights, own_model / "model.safetensors")
    (own_model / SEAL_FILE).unlink()
    assert main(["doctor", str(model), str(own_model)]) == 1
    well, broken = capsys.readouterr().out.splitlines()[-2:]
    assert well.endswith("works: its golden example comes out; search: greedy")
    assert broken.startswith(
        f"model {own_model} BROKEN {own_model}: the golden example's probabilities differ"
    )


def test_a_package_that_cannot_be_loaded_is_named_and_ends_the_examination(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    load = importlib.import_module

    def fail_for_soxr(name: str) -> ModuleType:
        if name == "soxr":
            raise ImportError("undefined symbol: _ZN3")
        return load(name)

    monkeypatch.setattr("asr.cli.doctor.importlib.import_module", fail_for_soxr)
    assert main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert f"{'soxr':<28} BROKEN cannot be loaded: undefined symbol: _ZN3\n" in out
    assert "audio wav" not in out


def test_a_format_that_cannot_be_read_is_broken_and_the_others_are_tried(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail_for_mp3(path: Path, *, sample_rate: int, **_: object) -> NDArray[np.float32]:
        if path.suffix == ".mp3":
            raise AudioError(f"{path}: no decoder")
        return np.zeros(sample_rate, np.float32)

    monkeypatch.setattr("asr.audio.read.read_waveform", fail_for_mp3)
    assert main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert [line.split()[:3] for line in out.splitlines() if line.startswith("audio")] == [
        ["audio", ending, "BROKEN" if ending == "mp3" else "works"] for ending in doctor.FORMATS
    ]


def test_a_package_that_cannot_be_loaded_is_a_finding(tmp_path: Path) -> None:
    """Nothing that doctor looks at is needed to begin."""
    (tmp_path / "numpy.py").write_text("raise ImportError('libopenblas.so: not found')\n")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(tmp_path), *sys.path))}
    ended = subprocess.run(
        [sys.executable, "-m", "asr", "doctor"],
        check=False,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert "cannot be loaded: libopenblas.so: not found" in ended.stdout
    assert ended.returncode == 1
