"""recipes/convert_format_1.py: a model that asr wrote before 0.2 in the present format."""

import dataclasses
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import safetensors.torch
import tomli_w
import torch
from numpy.typing import NDArray

import asr
from asr.checkpoint.engine import verify_model
from asr.checkpoint.golden import read_example, swelling_noise
from asr.checkpoint.network import Checkpoint, build, load_checkpoint
from asr.config import Config
from asr.errors import ModelError
from asr.text.tokens import TokenTable

ROOT = Path(__file__).parent.parent


def convert(old: Path, new: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "recipes/convert_format_1.py", str(old), str(new)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture
def checkpoint(small_config: Config) -> Checkpoint:
    torch.manual_seed(0)
    return build(small_config, {"text": TokenTable.from_text(["ACDEIMNORSTUW"])})


@pytest.fixture
def old(tmp_path: Path, checkpoint: Checkpoint) -> Path:
    """The checkpoint as the version before wrote it."""
    folder = tmp_path / "old"
    folder.mkdir()
    tensors = {f"front_end.{k}": v for k, v in checkpoint.front_end.state_dict().items()}
    for name, tensor in checkpoint.model.state_dict().items():
        tensors[f"model.{name.replace('heads.text.', 'projection.')}"] = tensor
    safetensors.torch.save_file(tensors, folder / "model.safetensors")
    tree = dataclasses.asdict(checkpoint.config)
    augment = tree.pop("augment")
    masks = {k: v for k, v in augment.items() if "frequency" in k or "time" in k}
    tree["spec_augment"] = {**masks, "max_frequency_warp": 0.0}
    tree["batching"] |= {k: v for k, v in augment.items() if k not in masks}
    tree["text"] |= tree.pop("heads")["text"]
    tree["model"]["upsampling_factor"] = 1
    tree["optimiser"]["schedule"] = "cosine"
    tree["train"] |= {"phone_weight": 0.0, "patience": 0}
    del tree["objective"]
    (folder / "config.toml").write_text(tomli_w.dumps(tree))
    checkpoint.directory.tokenizers["text"].write(folder, "text")
    (folder / "tokens-text.txt").rename(folder / "tokens.txt")
    waveform = (swelling_noise(16000) * 32768).round().astype(np.int16)
    features = np.zeros((3, 20), np.float32)
    golden: dict[str, NDArray[Any]] = {"waveform": waveform, "features": features}
    safetensors.numpy.save_file(golden, folder / "golden.safetensors", {"text": "old"})
    (folder / "README.md").write_text("# Old\n")
    return folder


def test_a_model_of_format_1_is_refused_and_converted(
    old: Path, checkpoint: Checkpoint, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match=r"format 1.*recipes/convert_format_1\.py"):
        asr.load_model(old)

    ended = convert(old, tmp_path / "new")

    assert ended.returncode == 0, ended.stderr
    verify_model(tmp_path / "new")
    converted = load_checkpoint(tmp_path / "new")
    assert converted.directory == checkpoint.directory
    for name, tensor in checkpoint.model.state_dict().items():
        assert torch.equal(converted.model.state_dict()[name], tensor.half().float())
    assert np.allclose(read_example(tmp_path / "new"), swelling_noise(16000), atol=1 / 32768)
    assert (tmp_path / "new" / "README.md").read_text() == "# Old\n"
    assert (tmp_path / "new" / "model.onnx").is_file()


def test_a_model_of_the_present_format_or_with_a_removed_setting_is_not_converted(
    old: Path, tmp_path: Path
) -> None:
    config = (old / "config.toml").read_text()
    for changed, reason in (
        ("format = 2\n" + config, "it has format 2"),
        (config.replace("upsampling_factor = 1", "upsampling_factor = 2"), "no longer supported"),
    ):
        (old / "config.toml").write_text(changed)
        ended = convert(old, tmp_path / "new")
        assert ended.returncode == 1
        assert f"{old}: its files do not make a model of format 1" in ended.stderr
        assert reason in ended.stderr
        assert not (tmp_path / "new").exists()
