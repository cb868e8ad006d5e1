"""What the tests of the verbs share: a corpus, its manifest, and an untrained model."""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from asr.audio.write import write_waveform
from asr.checkpoint.golden import swelling_noise
from asr.checkpoint.network import build, save_checkpoint
from asr.checkpoint.trained_on import Speech, TrainedOn
from asr.config import Config
from asr.corpus.manifest import write_manifest
from asr.corpus.tiny import write_tiny_corpus
from asr.corpus.utterance import Utterance
from asr.text.tokens import TokenTable


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A subset of four utterances in LibriSpeech's layout, for a test to damage."""
    folder = tmp_path / "corpus"
    write_tiny_corpus(folder, n_utterances=4, n_speakers=2, seed=1)
    return folder


@pytest.fixture
def manifest(tmp_path: Path, tiny_corpus: Sequence[Utterance]) -> Path:
    """Manifest of three utterances, the longest first."""
    path = tmp_path / "three.jsonl"
    write_manifest(path, sorted(tiny_corpus[:3], key=lambda u: u.duration or 0.0, reverse=True))
    return path


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory, small_config: Config) -> Path:
    """A model with large random weights, which writes meaningless letters."""
    torch.manual_seed(0)
    checkpoint = build(small_config, {"text": TokenTable.from_text(["ACDEIMNORSTUW"])})
    with torch.no_grad():
        checkpoint.model.heads["text"].get_parameter("weight").mul_(30.0)
    trained_on = TrainedOn((Speech("a book", 900, 1.5),))
    directory = replace(checkpoint.directory, trained_on=trained_on)
    checkpoint = replace(checkpoint, directory=directory)
    folder: Path = tmp_path_factory.mktemp("model") / "random"
    save_checkpoint(
        folder, checkpoint, card="# Knows nothing\n", example=swelling_noise(16000)[:4000]
    )
    return folder


@pytest.fixture
def own_model(model: Path, tmp_path: Path) -> Path:
    """A copy of the model, for a test to change."""
    return shutil.copytree(model, tmp_path / "own_model")


@pytest.fixture
def recordings(tmp_path: Path) -> list[Path]:
    """Two short recordings of noise that changes its sound, in a folder whose name has a space."""
    folder = tmp_path / "my recordings"
    folder.mkdir()
    paths = [folder / "one.wav", folder / "two.flac"]
    for seed, path in enumerate(paths):
        noise = np.random.default_rng(seed).standard_normal(8000 + 4000 * seed, np.float32)
        hiss = np.diff(noise, prepend=np.float32(0))
        is_hiss = np.arange(len(noise)) // 1600 % 2 == 1
        write_waveform(path, 0.1 * np.where(is_hiss, hiss, noise), 16000)
    return paths
