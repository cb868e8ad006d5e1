"""The golden example: a waveform, and a model's output for it on the machine that wrote the model.

Another machine that loads the model can check that it computes the same.
"""

from pathlib import Path

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from asr.audio.decoder import Waveform
from asr.checkpoint.directory import GOLDEN_FILE, ModelDirectory
from asr.config import TEXT_HEAD
from asr.errors import ModelError
from asr.files import write_bytes
from asr.runtime.engine import Engine
from asr.search.greedy import greedy_search

TOLERANCE = 0.05  # of a probability; other processors and libraries round differently
SECONDS = 2.0  # of the example that a model has when none is chosen


def swelling_noise(sample_rate: int) -> Waveform:
    """Make the example of a model that has no other, (N,): noise that swells, always the same."""
    n_samples = round(SECONDS * sample_rate)
    noise = np.random.default_rng(0).standard_normal(n_samples)
    return (noise * np.linspace(0.001, 0.1, n_samples)).clip(-1.0, 1.0).astype(np.float32)


def write_golden(folder: Path, model: ModelDirectory, engine: Engine, example: Waveform) -> None:
    """Run a model on an example, (N,), and keep both in its directory."""
    samples = (example * 32768).round().clip(-32768, 32767).astype(np.int16)
    probs, text = _run(model, engine, _scaled(samples))
    content = safetensors.numpy.save({"waveform": samples, "probs": probs}, {"text": text})
    write_bytes(folder / GOLDEN_FILE, content)


def read_example(folder: Path) -> Waveform:
    """Read the waveform of a model's golden example, (N,) float32 at the model's sample rate.

    Raises:
        ModelError: The model has none.
    """
    return _read(folder / GOLDEN_FILE)[0]


def verify_golden(folder: Path, model: ModelDirectory, engine: Engine) -> None:
    """Check that this machine reproduces the golden example.

    Raises:
        ModelError: Probabilities or transcript of the golden example differ.
    """
    waveform, expected, text = _read(folder / GOLDEN_FILE)
    probs, transcript = _run(model, engine, waveform)
    if probs.shape != expected.shape:
        raise ModelError(
            f"{folder}: the golden example's output has shape {probs.shape}, "
            f"expected {expected.shape}"
        )
    difference = float(np.abs(probs - expected).max(initial=0.0))
    if not difference <= TOLERANCE:
        raise ModelError(
            f"{folder}: the golden example's probabilities differ by {difference:.3g}, expected at "
            f"most {TOLERANCE}"
        )
    if transcript != text:
        raise ModelError(f"{folder}: the golden example reads {transcript!r}, expected {text!r}")


def _read(path: Path) -> tuple[Waveform, NDArray[np.float32], str]:
    """Read waveform (N,), probabilities (T, V) and transcript of the golden example."""
    try:
        with safe_open(path, framework="np") as file:
            text = file.metadata()["text"]
            waveform, probs = file.get_tensor("waveform"), file.get_tensor("probs")
    except (OSError, SafetensorError, KeyError, TypeError) as error:
        raise ModelError(f"{path}: no golden example: {error}") from error
    return _scaled(waveform), probs, text


def _scaled(samples: NDArray[np.int16]) -> Waveform:
    return (samples / 32768).astype(np.float32)


def _run(
    model: ModelDirectory, engine: Engine, waveform: Waveform
) -> tuple[NDArray[np.float32], str]:
    """Compute the text head's probabilities, (T, V), and the greedy transcript of a waveform."""
    lengths = np.array([len(waveform)])
    log_probs, n_frames = engine.log_probs(waveform[None], lengths, TEXT_HEAD)
    (hypothesis,) = greedy_search(log_probs, n_frames)
    text = model.tokenizers[TEXT_HEAD].decode(hypothesis.tokens)
    return np.exp(log_probs[0, : n_frames[0]]), text
