"""The files of a model directory: written beside its place, and seen whole or not at all."""

import shutil
from pathlib import Path

from asr.errors import ModelError
from asr.files import flush

WEIGHTS_FILE = "model.safetensors"
CONFIG_FILE = "config.toml"
CARD_FILE = "README.md"
CALIBRATION_FILE = "confidence.toml"


def check_replaceable(folder: Path) -> None:
    """Refuse to write a model where something lies that is none, and would be deleted.

    Raises:
        ModelError: `folder` is a file, or a folder that is neither empty nor a model directory.
    """
    if folder.is_dir():
        is_replaceable = (folder / WEIGHTS_FILE).is_file() or not any(folder.iterdir())
    else:
        is_replaceable = not folder.exists()
    if not is_replaceable:
        raise ModelError(f"{folder}: is there already and no model directory; name a new folder")


def staging(folder: Path) -> Path:
    """Say where to write a model that will be put in the place of `folder`; nothing is there.

    Raises:
        ModelError: `folder` holds something that is no model.
    """
    check_replaceable(folder)
    beside = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(beside, ignore_errors=True)
    return beside


def swap_in(beside: Path, folder: Path) -> None:
    """Put a finished folder in the place of another, which is never seen half written."""
    for path in (*beside.rglob("*"), beside):  # on the disk before it has its name
        flush(path)
    previous = folder.with_name(f".{folder.name}.old")
    shutil.rmtree(previous, ignore_errors=True)
    if folder.exists():
        folder.replace(previous)
    beside.replace(folder)
    flush(folder.parent)
    shutil.rmtree(previous, ignore_errors=True)


def copy_model(folder: Path, target: Path) -> None:
    """Copy a model directory, so that the target is never seen half written.

    Raises:
        ModelError: `target` holds something that is no model.
    """
    beside = staging(target)
    shutil.copytree(folder, beside)
    swap_in(beside, target)
