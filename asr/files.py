"""Files: what is written appears complete or not at all, and survives a loss of power.

Everything that this package writes to disk goes through here. A file or a folder is written under
another name next to its own, flushed, and renamed. What is kept for later processes has a folder
that can be trusted.
"""

import fcntl
import logging
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import BinaryIO

from asr.errors import warn_once

_LOG = logging.getLogger(__name__)


@contextmanager
def writing(path: Path) -> Iterator[BinaryIO]:
    """Open a file to write; it gets its name when the block ends without an error.

    Its folder is created if it is missing. After an error, what was at `path` before is untouched.
    Of several processes that write the same file, the last to finish wins. A symbolic link is
    followed. A device or a pipe, such as /dev/stdout, is written to directly.

    Raises:
        OSError: The file cannot be written; the error names `path`.
    """
    if _exists_irregular(path):
        with path.open("wb") as device:
            yield device
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    target = path.resolve()
    partial = target.with_name(f".{target.name[:50]}.part")  # names have at most 255 bytes
    try:
        file = _open_locked(partial)
        if file is None:  # another process writes it
            partial = partial.with_suffix(f".{os.urandom(8).hex()}.part")
            file = partial.open("xb")
        with file:
            try:
                yield file
                file.flush()
                os.fsync(file.fileno())
                partial.replace(target)
            except BaseException:
                with suppress(OSError):
                    partial.unlink()  # before the lock is released: it is ours until then
                raise
        flush(target.parent)
    except OSError as error:
        if error.errno is None or error.filename not in (None, str(partial)):
            raise  # the block's own, about something else
        raise OSError(error.errno, error.strerror, str(path)) from error


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file, complete or not at all; see `writing`."""
    with writing(path) as file:
        file.write(content)


def write_text(path: Path, text: str) -> None:
    """Write a file in UTF-8, complete or not at all; see `writing`.

    A surrogate (from a file name that is not valid UTF-8) is written as a backslash escape.
    """
    write_bytes(path, text.encode("utf-8", "backslashreplace"))


def append_line(path: Path, line: str) -> None:
    """Add a line to a short text file, complete or not at all; see `writing`."""
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    write_text(path, f"{before}{line}\n")


@contextmanager
def replacing_folder(folder: Path) -> Iterator[Path]:
    """Create a folder to fill; it becomes `folder` when the block ends without an error.

    What was at `folder` is deleted then: check beforehand that it may be. After an error it is
    untouched. A symbolic link is followed.
    """
    folder = folder.resolve()
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


def lock(path: Path) -> int | None:
    """Lock a file, created if it is missing, for this process; None if another one has it.

    Returns:
        A descriptor: closing it, or the end of the process, releases the lock.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def flush(path: Path) -> None:
    """Have a file, or a folder's list of names, on disk before going on.

    A renamed file keeps its new name through a loss of power once its folder is flushed.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@cache
def kept_folder(kind: str) -> Path | None:
    """Find or create the folder where processes of a user keep what later ones need not make again.

    Whoever writes there decides what others run and recognise. So it has to belong to the user (or
    root), and nobody else may be able to write it. All in it can be deleted at any time.

    Args:
        kind: Of its files; a folder in `$XDG_CACHE_HOME/asr-ctc` or `~/.cache/asr-ctc`.

    Returns:
        None, with a warning, if there is no such folder.
    """
    base = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "asr-ctc"
    try:
        folder = base.expanduser() / kind
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.stat()
        if is_trusted(found) and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            return folder
        reason = f"somebody else owns {kind} or can write it"
    except OSError as error:
        reason = str(error.strerror)
    except RuntimeError as error:  # there is no home
        reason = str(error)
    told = f"nothing is kept in {base} ({reason}): set XDG_CACHE_HOME to a folder of yours"
    warn_once(_LOG, told)
    return None


def is_trusted(found: os.stat_result) -> bool:
    """Tell whether a file or folder belongs to the user or root, who can plant code anyway."""
    return found.st_uid in {0, os.getuid()}


def _exists_irregular(path: Path) -> bool:
    """Check for a device, a pipe or a folder; refuse a name that no file can have."""
    try:
        return not stat.S_ISREG(path.stat().st_mode)
    except FileNotFoundError:
        return False


def _open_locked(partial: Path) -> BinaryIO | None:
    """Open an unfinished file, or one that a killed process left; None if it cannot be locked."""
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW  # not truncated before it is locked
    try:
        file = os.fdopen(os.open(partial, flags, 0o666), "wb")
    except OSError:  # of another user, perhaps
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(file.fileno()), partial.stat()):
            file.truncate()
            return file
    except (BlockingIOError, FileNotFoundError):
        pass  # another process has it, or has just renamed it
    except OSError:  # this disk has no locks
        partial.unlink()
    file.close()
    return None
