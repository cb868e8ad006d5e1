"""Provenance: the command, code, machine and time that a figure depends on.

It is gathered without torch, and what cannot be found out is left out, never an error.
"""

import os
import platform
import shlex
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

DISTRIBUTION = "asr-ctc"  # the package's name for pip; `asr` belongs to another project on PyPI
PACKAGES = (DISTRIBUTION, "onnxruntime", "torch", "numpy")  # whose versions can move a figure

_PACKAGE_FOLDER = Path(__file__).parent
_CPU_INFO = Path("/proc/cpuinfo")
_NVIDIA_GPUS = Path("/proc/driver/nvidia/gpus")


@dataclass(frozen=True, slots=True)
class Provenance:
    """What a figure depends on besides its data and configuration.

    Attributes:
        command: As typed, quoted for a shell.
        commit: Of the code, 12 hexadecimal digits, with `+changes` where files of the package
            differ from it; None if the package is not run from its repository.
        time: UTC, to the second, as in `2026-01-31T12:00:00Z`.
        hardware: Processor, cores that this process may use, and GPUs that are present.
        versions: Python's and those of `PACKAGES`, as in `python 3.11.7, torch 2.13.0`.
    """

    command: str
    commit: str | None
    time: str
    hardware: str
    versions: str


def provenance(command: Sequence[str]) -> Provenance:
    """Record the circumstances of a command, now.

    Args:
        command: The program's name and its arguments, as in `sys.argv`. Of the program only the
            file's name is kept, since the place where it is installed changes no figure.

    Example:
        >>> provenance(["/usr/bin/asr", "score", "my file"]).command
        "asr score 'my file'"
    """
    program, *arguments = command
    return Provenance(
        command=shlex.join([Path(program).name, *arguments]),
        commit=_commit(_PACKAGE_FOLDER),
        time=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        hardware=_hardware(),
        versions=_versions(),
    )


def own_version() -> str:
    """Return the version of this package; a placeholder if it is run without being installed."""
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:
        return "0+not.installed"


def _commit(folder: Path) -> str | None:
    """Name the commit of the code in a folder, if git tracks it."""
    # an installed package may lie inside somebody else's repository, as in .venv
    if not _git(folder, "ls-files", "."):
        return None
    commit = _git(folder, "rev-parse", "--short=12", "HEAD")
    # whatever status the user wants to see: a new file of the package is a change
    status = _git(folder, "status", "--porcelain", "--untracked-files=normal", ".")
    return f"{commit}+changes" if commit and status else commit


def _git(folder: Path, *arguments: str) -> str | None:
    """Return what git answers; None if it is not installed or refuses."""
    try:
        answer = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return answer.stdout.strip()


def _hardware() -> str:
    cores = n_cores()
    parts = [_cpu_model(), f"{cores} core{'s' if cores != 1 else ''}", *_gpu_models()]
    return ", ".join(parts)


def n_cores() -> int:
    """Count the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _cpu_model() -> str:
    models = _values(_CPU_INFO, "model name")
    return models[0] if models else platform.processor() or platform.machine()


def _gpu_models() -> list[str]:
    """Name the NVIDIA GPUs that the driver lists, used or not."""
    cards = sorted(_NVIDIA_GPUS.glob("*/information"))
    return [model for card in cards for model in _values(card, "Model")]


def _values(path: Path, key: str) -> list[str]:
    """Read the values of a key from a file of `key : value` lines; none if it cannot be read."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    pairs = (line.partition(":") for line in lines)
    return [value.strip() for name, _, value in pairs if name.strip() == key]


def _versions() -> str:
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        with suppress(PackageNotFoundError):
            versions[package] = version(package)
    return ", ".join(f"{name} {number}" for name, number in versions.items())
