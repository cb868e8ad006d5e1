"""Seal: a digest of every file of a model directory, so that damage does not go unnoticed.

One wrong bit in a weight or in a language model changes words, and nothing else would show it. The
digests are in a file that `sha256sum --check` reads, too. A directory without one is not checked.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from asr.errors import ModelError
from asr.files import write_text

SEAL_FILE = "SHA256SUMS"


@contextmanager
def changing(folder: Path) -> Iterator[None]:
    """Seal a model directory after its files have been changed; until then it has no seal."""
    (folder / SEAL_FILE).unlink(missing_ok=True)
    yield
    seal(folder)


def seal(folder: Path) -> None:
    """Write the digests of all files of a model directory."""
    names = sorted(path.name for path in folder.iterdir() if path.is_file())
    lines = [f"{digest_of(folder / name)}  {name}\n" for name in names if name != SEAL_FILE]
    write_text(folder / SEAL_FILE, "".join(lines))


def check_seal(folder: Path, *, without: tuple[str, ...] = ()) -> None:
    """Compare the files of a model directory with their digests.

    Args:
        folder: The model directory.
        without: Names of files that are not looked at.

    Raises:
        ModelError: A file differs from its digest, or is missing.
    """
    for line in _lines(folder):
        digest, _, name = line.partition("  ")
        if name in without:
            continue
        path = folder / name
        if not path.is_file():
            raise ModelError(f"{path}: is missing; copy the model again")
        if digest_of(path) != digest:
            raise ModelError(
                f"{path}: is not what {SEAL_FILE} says, so it is damaged: copy the model again. If "
                f"you changed it yourself, remove {folder / SEAL_FILE}"
            )


def _lines(folder: Path) -> list[str]:
    try:
        return (folder / SEAL_FILE).read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []


def digest_of(path: Path) -> str:
    """Hash the content of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
