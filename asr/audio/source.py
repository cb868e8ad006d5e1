"""Where recordings come from: files, folders of them, standard input, URLs."""

import io
import os
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copyfileobj
from textwrap import shorten
from typing import BinaryIO, cast

from asr.errors import AudioError

Source = str | Path | BinaryIO
STDIN = "-"
# What recordings are called. Their content decides how they are read, but a folder holds more.
ENDINGS = frozenset(
    f".{ending}"
    for ending in (
        *("wav", "wave", "rf64", "w64", "flac", "mp3", "ogg", "oga", "opus", "spx"),
        *("aif", "aiff", "aifc", "au", "snd", "caf", "sph", "nist", "voc", "gsm", "vox"),
        *("m4a", "m4b", "mp4", "m4v", "mov", "aac", "3gp", "3g2", "amr", "awb", "wma", "wmv"),
        *("asf", "webm", "weba", "mkv", "mka", "avi", "mpg", "mpeg", "mp2", "ts", "flv", "ac3"),
    )
)
FILE_BUFFER = 1 << 16
COPY_BYTES = 1 << 20
NOT_FOUND = 404  # HTTP's status
MAX_QUOTE = 200  # characters of another library's message


def find_recordings(
    folder: Path, failed: Callable[[AudioError], None] | None = None
) -> Iterator[Path]:
    """Find the audio and video files in a folder and those below it, by their endings.

    Hidden files and folders, and links to folders, are passed over; links that lead nowhere are
    not, so that whoever reads them learns of it.

    Args:
        folder: Where to search.
        failed: Gets the errors of folders that cannot be read; the search goes on.

    Yields:
        Paths that begin with `folder`; each folder's files by name, then its folders.

    Raises:
        AudioError: A folder cannot be read, and `failed` is None.
    """
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        unreadable = AudioError(f"{folder}: cannot be read: {error.strerror}")
        if failed is None:
            raise unreadable from error
        failed(unreadable)
        return
    shown = [entry for entry in entries if not entry.name.startswith(".")]
    for entry in shown:
        if Path(entry.name).suffix.lower() in ENDINGS and not _is_passed_over(entry):
            yield Path(entry.path)
    for entry in shown:
        if entry.is_dir(follow_symlinks=False):
            yield from find_recordings(Path(entry.path), failed)


def _is_passed_over(entry: os.DirEntry[str]) -> bool:
    """Tell a folder, a device or a pipe, or a link to one, from what is or should be a file."""
    try:
        return not entry.is_file() and Path(entry.path).exists()
    except OSError:  # a link that leads to itself
        return False


def is_url(source: Source) -> bool:
    """Tell whether a source is a URL, for fsspec to open, and not a path."""
    return isinstance(source, str) and "://" in source


def name_of(source: Source) -> str:
    """Name a source in messages."""
    if isinstance(source, str | Path):
        return "standard input" if str(source) == STDIN else str(source)
    name = getattr(source, "name", None)  # a temporary file's is a number, or None
    return name if isinstance(name, str) else "the recording"


@contextmanager
def open_source(source: Source, *, is_streamed: bool = False) -> Iterator[BinaryIO]:
    """Open a source for reading.

    Args:
        source: A path; a URL of any protocol that fsspec knows; "-", standard input; or a binary
            file, from its start if it can seek.
        is_streamed: Read what cannot seek as it arrives; else it is first copied to a temporary
            file.

    Raises:
        AudioError: The source cannot be a recording; the message names it.
        OSError: The system refuses to read it.
    """
    if not isinstance(source, str | Path):
        if not hasattr(source, "read") or isinstance(source, io.TextIOBase):
            got = "a file opened as text" if hasattr(source, "read") else type(source).__name__
            raise AudioError(
                f"the recording: expected a path, a URL, or a file opened in binary, got {got}"
            )
        with _seekable(source, is_streamed) as file:
            yield file
    elif str(source) == STDIN:
        if sys.stdin is None:
            raise AudioError("standard input: is closed; pipe a recording into it")
        if sys.stdin.isatty():
            raise AudioError("standard input: is a terminal; pipe a recording into it")
        with _seekable(sys.stdin.buffer, is_streamed) as file:
            yield file
    elif is_url(source):
        with _downloaded(str(source)) as file:
            yield file
    else:
        _check_file(Path(source))
        with Path(source).open("rb", buffering=FILE_BUFFER) as file:
            yield file


@contextmanager
def _seekable(file: BinaryIO, is_streamed: bool) -> Iterator[BinaryIO]:
    if file.seekable():
        file.seek(0)
        yield file
    elif is_streamed:
        yield file
    else:
        with _temporary_file() as copy:
            copyfileobj(file, copy, COPY_BYTES)
            copy.seek(0)
            yield copy


def _temporary_file() -> BinaryIO:
    """Open a file for a copy; if no folder can be written, it is not the recording that lacks."""
    try:
        return cast(BinaryIO, tempfile.TemporaryFile())
    except FileNotFoundError as error:
        raise OSError(f"{error.strerror} for a copy of it; set TMPDIR to a folder") from error


@contextmanager
def _downloaded(url: str) -> Iterator[BinaryIO]:
    """Download what a URL names; whatever its store's library raises is an error that names it."""
    try:
        import fsspec
    except ImportError as error:
        raise AudioError(
            f"{url}: reading URLs needs fsspec: pip install 'asr-ctc[cloud]'"
        ) from error
    try:
        opened = fsspec.open(url, "rb")
    except ImportError as error:
        raise AudioError(f"{url}: {error}; pip install 'asr-ctc[cloud]'") from error
    except ValueError as error:
        raise AudioError(f"{url}: is no URL that fsspec knows: {error}") from error
    with _temporary_file() as copy:
        try:
            with opened as remote:
                copyfileobj(remote, copy, COPY_BYTES)
        except OSError as error:
            cause = error.__cause__
            if isinstance(error, FileNotFoundError) and cause and not _is_missing(cause):
                raise AudioError(f"{url}: cannot be fetched: {_brief(cause)}") from error
            raise
        except Exception as error:  # whatever the store's library raises
            raise AudioError(f"{url}: cannot be fetched: {_brief(error)}") from error
        copy.seek(0)
        yield copy


def _is_missing(cause: BaseException) -> bool:
    """Tell a file that is not there from a server that fails, which fsspec takes for the same."""
    return isinstance(cause, FileNotFoundError) or getattr(cause, "status", None) == NOT_FOUND


def _brief(error: BaseException) -> str:
    """Quote a library's message, which may hold what the server sent, to the end of its line."""
    return shorten(str(error).partition("\n")[0], MAX_QUOTE, placeholder=" ...")


def _check_file(path: Path) -> None:
    try:
        status = path.stat()
    except ValueError as error:  # a NUL, or half a character
        raise AudioError(f"{str(path)!r}: no file can have this name") from error
    if stat.S_ISDIR(status.st_mode):
        raise AudioError(f"{path}: is a folder; name the audio files in it")
    if not stat.S_ISREG(status.st_mode):
        raise AudioError(f"{path}: is not a regular file; save the recording to one, or pipe it in")
