"""Keep libraries written in C from writing to the terminal.

mpg123, inside libsndfile, prints what it thinks of a damaged MP3 file, and offers no way to turn
that off. It prints to C's `stderr`, a variable that can point elsewhere for a while. Python's own
stderr does not use it, so that nothing else is lost.
"""

import ctypes
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_n_inside = 0


@contextmanager
def quiet() -> Iterator[None]:
    """Send what C code prints to `stderr` nowhere; in any number of threads at once."""
    global _n_inside  # noqa: PLW0603  # one variable of C, one count of its users
    with _lock:
        if _n_inside == 0 and _STDERR is not None:
            _STDERR.value = _NOWHERE
        _n_inside += 1
    try:
        yield
    finally:
        with _lock:
            _n_inside -= 1
            if _n_inside == 0 and _STDERR is not None:
                _STDERR.value = _ORIGINAL


def _find_stderr() -> ctypes.c_void_p | None:
    """Find C's variable, where the system has it: Linux (glibc) and macOS."""
    for name in ("stderr", "__stderrp"):
        try:
            return ctypes.c_void_p.in_dll(ctypes.CDLL(None), name)
        except (ValueError, TypeError, OSError):
            continue
    return None


def _open_nowhere() -> int | None:
    libc = ctypes.CDLL(None)
    libc.fopen.restype = ctypes.c_void_p
    file: int | None = libc.fopen(os.devnull.encode(), b"w")
    return file


_STDERR = _find_stderr()
_ORIGINAL = _STDERR.value if _STDERR is not None else None
_NOWHERE = _open_nowhere() if _STDERR is not None else None
