"""Files: what is written appears complete or not at all, and survives a loss of power.

Everything that this package writes to disk goes through here. A file is written under another name
in the same folder, flushed, and renamed; so is a folder. Whoever finds one under its own name finds
all of it.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


@contextmanager
def writing(path: Path) -> Iterator[BinaryIO]:
    """Open a file to write; it gets its name when the block ends without an error.

    Its folder is created if it is missing. After an error, what was at `path` before is untouched.
    A symbolic link is followed. A device or a pipe, such as /dev/stdout, is written to directly.

    Raises:
        OSError: The file cannot be written; the error names `path`.
    """
    if path.exists() and not path.is_file():
        with path.open("wb") as file:
            yield file
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    target = path.resolve()
    partial = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with partial.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
        flush(target.parent)
    except OSError as error:
        if error.errno is None or error.filename not in (None, str(partial)):
            raise  # the block's own, about something else
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        with suppress(OSError):
            partial.unlink()


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file, complete or not at all; see `writing`."""
    with writing(path) as file:
        file.write(content)


def write_text(path: Path, text: str) -> None:
    """Write a file in UTF-8, complete or not at all; see `writing`.

    A surrogate (from a file name that is not valid UTF-8) is written as a backslash escape.
    """
    write_bytes(path, text.encode("utf-8", "backslashreplace"))


@contextmanager
def replacing_folder(folder: Path) -> Iterator[Path]:
    """Create a folder to fill; it becomes `folder` when the block ends without an error.

    What was at `folder` is deleted then: check beforehand that it may be. After an error it is
    untouched.
    """
    made, previous = (folder.with_name(f".{folder.name}.{end}") for end in ("new", "old"))
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir(parents=True)
    try:
        yield made
        for path in (*made.rglob("*"), made):  # on disk before it has its name
            flush(path)
        shutil.rmtree(previous, ignore_errors=True)
        if folder.exists():
            folder.replace(previous)
        made.replace(folder)
        flush(folder.parent)
        shutil.rmtree(previous, ignore_errors=True)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def flush(path: Path) -> None:
    """Have a file, or a folder's list of names, on disk before going on.

    A renamed file keeps its new name through a loss of power once its folder is flushed.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
