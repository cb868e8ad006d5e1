"""The engine of a model: its graph on ONNX Runtime, or else its network in torch."""

from pathlib import Path

from asr.checkpoint.directory import ONNX_FILE, read_directory
from asr.checkpoint.golden import verify_golden
from asr.checkpoint.names import model_folder
from asr.checkpoint.seal import check_seal
from asr.errors import ModelError
from asr.runtime.engine import Engine
from asr.runtime.onnx_engine import OnnxEngine


def load_engine(folder: Path, *, n_threads: int) -> Engine:
    """Load the engine of a model.

    Raises:
        ModelError: The model has no graph, and torch is not installed.
    """
    if (folder / ONNX_FILE).is_file():
        return OnnxEngine(folder / ONNX_FILE, n_threads=n_threads)
    try:
        from asr.checkpoint.network import load_checkpoint
    except ImportError as error:
        raise ModelError(
            f"{folder}: has no {ONNX_FILE}, and without it recognising needs what training needs "
            f"({error}): make it with `asr export` where the model was trained"
        ) from error
    return load_checkpoint(folder).engine


def verify_model(name: str | Path) -> None:
    """Check that a model is whole, and reproduces its golden example on this machine.

    Raises:
        ModelError: It does not, or there is no such model.
    """
    folder = model_folder(name)
    check_seal(folder)
    verify_golden(folder, read_directory(folder), load_engine(folder, n_threads=1))
