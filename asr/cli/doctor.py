"""Check the installation and its models.

Prints what is installed here and whether it works: versions, optional packages, threads, what is
kept for later runs, each audio format (written and read back), and each model: those that the
package ships, or those named.

A model comes with a golden example: a waveform, with its output and transcript on the machine that
made the model. They must be the same here. Then the model's default search must transcribe it.

What does not work is marked BROKEN, and the exit status is 1. Paste the output into a bug report.

Examples:
  asr doctor
  asr doctor exp/mini_librispeech/model
"""

import argparse
import importlib
import platform
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from asr.errors import AsrError, AudioError
from asr.files import kept_folder
from asr.provenance import n_cores, own_version, provenance

REQUIRED = (
    *("numpy", "onnxruntime", "numba", "soundfile", "soxr", "safetensors", "sentencepiece"),
    *("tomli_w", "tqdm"),
)
OPTIONAL = {
    "torch": "training",
    "onnx": "exporting a trained model",
    "tensorboard": "curves of asr train",
    "torchaudio": "a second opinion on features, in tests",
}
FORMATS = ("wav", "flac", "ogg", "mp3", "aiff")


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found out about one thing; `is_broken` if it ought to work and does not."""

    thing: str
    text: str
    is_broken: bool = False


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "models", nargs="*", metavar="MODEL", help="folders or names (default: all shipped)"
    )


def run(options: argparse.Namespace) -> int:
    is_well = True
    for finding in _findings(options.models):
        mark = "BROKEN " if finding.is_broken else ""
        print(f"{finding.thing:<28} {mark}{finding.text}", flush=True)
        is_well = is_well and not finding.is_broken
    return 0 if is_well else 1


def _findings(models: list[str]) -> Iterator[Finding]:
    packages = [_package(name) for name in REQUIRED]
    yield from _versions()
    yield from packages
    yield from map(_optional_package, OPTIONAL)
    if any(package.is_broken for package in packages):
        return  # all that follows needs them
    yield Finding("threads", f"{n_cores()} (--threads changes it)")
    yield _kept()
    yield from map(_audio_format, FORMATS)
    from asr.checkpoint.names import shipped_models

    yield from map(_model, models or shipped_models())


def _versions() -> Iterator[Finding]:
    here = provenance(["asr"])
    yield Finding("asr", f"{own_version()}, commit {here.commit or 'not known'}")
    yield Finding("python", platform.python_version())
    yield Finding("machine", here.hardware)


def _package(name: str) -> Finding:
    """Load a package: its compiled part may not fit the others, or the system."""
    try:
        if name == "onnxruntime":
            from asr.runtime.onnx_engine import import_onnxruntime

            import_onnxruntime()
        else:
            importlib.import_module(name)
    except (ImportError, OSError) as error:
        return Finding(name, f"cannot be loaded: {error}", is_broken=True)
    return Finding(name, version(name))


def _optional_package(name: str) -> Finding:
    try:
        return Finding(name, version(name))
    except PackageNotFoundError:
        return Finding(name, f"not installed; only for {OPTIONAL[name]}")


def _kept() -> Finding:
    """Measure what earlier runs kept for later ones."""
    folder = kept_folder("searches")
    if folder is None:
        return Finding("kept", "nothing, so that each start takes seconds longer")
    n_bytes = sum(file.stat().st_size for file in folder.parent.rglob("*") if file.is_file())
    told = f"{folder.parent}, {n_bytes / 1e6:.0f} MB, to start sooner; it may be deleted"
    return Finding("kept", told)


def _audio_format(ending: str) -> Finding:
    """Write a tone in a format and read it back."""
    import numpy as np

    from asr.audio.read import read_waveform
    from asr.audio.write import write_waveform

    tone = 0.5 * np.sin(np.arange(16000) * (2 * np.pi * 440 / 16000))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"tone.{ending}"
        try:
            write_waveform(path, tone, 16000)
            read_waveform(path, sample_rate=16000)
        except (AudioError, RuntimeError) as error:  # libsndfile's errors are RuntimeErrors
            return Finding(f"audio {ending}", str(error), is_broken=True)
    return Finding(f"audio {ending}", "works")


def _model(name: str) -> Finding:
    """Load a model, let it check itself, and run its default search."""
    from asr.audio.write import write_waveform
    from asr.checkpoint.engine import verify_model
    from asr.checkpoint.golden import read_example
    from asr.checkpoint.names import model_folder
    from asr.recognizer import load_model

    try:
        verify_model(name)
        recognizer = load_model(name)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "example.wav"
            write_waveform(path, read_example(model_folder(name)), recognizer.sample_rate)
            recognizer.transcribe(path)
    except (AsrError, ImportError) as error:
        return Finding(f"model {name}", str(error), is_broken=True)
    search = recognizer.searcher.plan
    return Finding(f"model {name}", f"works: its golden example comes out; search: {search}")
