"""Keep libraries written in C from writing to the terminal.

mpg123, inside libsndfile, prints what it thinks of a damaged MP3 file, libsndfile itself what it
thinks of a damaged SDS file, and neither offers a way to turn that off. They print to C's `stdout`
and `stderr`, variables that can point elsewhere for a while. Python's own streams do not use them,
so that nothing else is lost.
"""

import ctypes
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# As glibc calls the variables, and macOS; elsewhere nothing is done.
NAMES = ("stdout", "stderr", "__stdoutp", "__stderrp")

_lock = threading.Lock()
_n_inside = 0


@contextmanager
def quiet() -> Iterator[None]:
    """Discard what C code prints; several threads may do so at once."""
    global _n_inside  # noqa: PLW0603  # C's variables are global, and so is the count of their users
    with _lock:
        if _n_inside == 0 and _NOWHERE is not None:
            _point([_NOWHERE] * len(_STREAMS))
        _n_inside += 1
    try:
        yield
    finally:
        with _lock:
            _n_inside -= 1
            if _n_inside == 0:
                _point(_ORIGINALS)


def _point(targets: list[int | None]) -> None:
    for stream, target in zip(_STREAMS, targets, strict=True):
        stream.value = target


def _find_streams() -> list[ctypes.c_void_p]:
    streams = []
    for name in NAMES:
        try:
            streams.append(ctypes.c_void_p.in_dll(ctypes.CDLL(None), name))
        except (ValueError, TypeError, OSError):
            continue
    return streams


def _open_nowhere() -> int | None:
    libc = ctypes.CDLL(None)
    libc.fopen.restype = ctypes.c_void_p
    file: int | None = libc.fopen(os.devnull.encode(), b"w")
    return file


_STREAMS = _find_streams()
_ORIGINALS = [stream.value for stream in _STREAMS]
_NOWHERE = _open_nowhere() if _STREAMS else None
