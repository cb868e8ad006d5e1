"""Files: what is written appears complete or not at all, and outlasts a loss of power.

Everything that this package writes to disk goes through here: a file is written under another name
in the same folder, flushed, and renamed; so is a folder. Whoever finds it under its own name finds
all of it.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def writing(path: Path) -> Iterator[BinaryIO]:
    """Open a file to write to; it gets its name when the block ends without an error.

    The folder is made if it is not there. After an error what was at `path` before is untouched.

    Raises:
        OSError: It cannot be written; the error names `path`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with partial.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        flush(path.parent)
    except OSError as error:
        error.filename = str(path)
        raise
    finally:
        partial.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file, complete or not at all; see `writing`."""
    with writing(path) as file:
        file.write(content)


def write_text(path: Path, text: str) -> None:
    """Write a file in UTF-8, complete or not at all; see `writing`.

    A surrogate (of a file name that is no valid UTF-8) is written as a backslash escape.
    """
    write_bytes(path, text.encode("utf-8", "backslashreplace"))


@contextmanager
def replacing_folder(folder: Path) -> Iterator[Path]:
    """Make a folder to fill, which takes the place of `folder` when the block ends without an error.

    What is there before is deleted: check first that it may be.
    """
    beside, previous = (folder.with_name(f".{folder.name}.{end}") for end in ("new", "old"))
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    yield beside
    for path in (*beside.rglob("*"), beside):  # on the disk before it has its name
        flush(path)
    shutil.rmtree(previous, ignore_errors=True)
    if folder.exists():
        folder.replace(previous)
    beside.replace(folder)
    flush(folder.parent)
    shutil.rmtree(previous, ignore_errors=True)


def flush(path: Path) -> None:
    """Have a file, or a folder's list of names, on the disk before going on.

    A renamed file has its new name for good once the folder is flushed that it lies in.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
