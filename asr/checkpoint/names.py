"""The names of models: one that the package ships, or a folder of yours."""

import hashlib
from pathlib import Path

from asr.checkpoint.directory import ONNX_FILE, WEIGHTS_FILE
from asr.errors import ModelError

MODELS = Path(__file__).parent.parent / "models"  # those that the package ships
DEFAULT_MODEL = "english"


def model_folder(name: str | Path) -> Path:
    """Find the directory of a model.

    Raises:
        ModelError: It is neither a folder nor the name of a shipped model.
    """
    shipped = shipped_models()
    if str(name) in shipped:
        return MODELS / name
    if Path(name).is_dir():
        return Path(name)
    raise ModelError(
        f"{name}: neither a model directory nor a shipped model "
        f"(shipped: {', '.join(shipped) or 'none'})"
    )


def shipped_models() -> list[str]:
    """Name the models that the package ships."""
    return sorted(path.name for path in MODELS.glob("*") if path.is_dir())


def weights_hash(name: str | Path) -> str:
    """Hash the weights that a model recognises with: 16 hexadecimal digits."""
    folder = model_folder(name)
    onnx = folder / ONNX_FILE
    weights = onnx if onnx.exists() else folder / WEIGHTS_FILE
    return hashlib.sha256(weights.read_bytes()).hexdigest()[:16]
