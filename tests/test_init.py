"""The public face."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import asr
from asr import errors
from asr.provenance import own_version

ROOT = Path(__file__).parent.parent


def test_every_public_name_is_there_and_listed() -> None:
    assert set(asr.__all__) <= set(dir(asr))
    assert [name for name in asr.__all__ if getattr(asr, name, None) is None] == []


def test_public_names_are_the_things_themselves() -> None:
    for name, module in (("load_model", "recognizer"), ("Transcript", "text.transcript")):
        assert getattr(asr, name) is getattr(importlib.import_module(f"asr.{module}"), name)
    assert asr.AsrError is errors.AsrError
    assert asr.__version__ == own_version()


def test_every_deliberate_error_is_an_asr_error_and_a_builtin_one() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    children = [kind for kind in kinds if kind is not errors.AsrError]
    assert all(issubclass(kind, errors.AsrError) for kind in children)
    assert all(issubclass(kind, ValueError | OSError | RuntimeError) for kind in children)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'asr' has no attribute 'no_such_name'"):
        getattr(asr, "no_such_name")  # noqa: B009 (a type checker would refuse it as a name)


def test_a_star_import_takes_the_public_names() -> None:
    code = "from asr import *; print(load_model.__name__, Transcript.__name__, __version__)"
    command = [sys.executable, "-c", code]
    ended = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    assert ended.stdout.split() == ["load_model", "Transcript", asr.__version__]


def test_the_docstring_maps_every_folder_and_file_of_the_package() -> None:
    package = ROOT / "asr"
    parts = {path.stem for path in package.glob("[a-z]*.py")} | {
        path.parent.name for path in package.glob("*/__init__.py")
    }
    assert [part for part in sorted(parts) if part not in (asr.__doc__ or "")] == []
