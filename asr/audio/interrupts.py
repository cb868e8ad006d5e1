"""Interrupts: no Ctrl-C is lost in a library written in C that calls back into Python.

No exception can pass through such a library. Python prints one and forgets it, and to libsndfile,
which calls back to read, the file ends there.
"""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def interruptible() -> Iterator[None]:
    """Raise a KeyboardInterrupt that was lost in the block at its end, in place of any other error.

    Only the main thread receives one.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before, lost = sys.unraisablehook, list[type[BaseException]]()

    def keep(unraisable: "sys.UnraisableHookArgs") -> None:
        if issubclass(unraisable.exc_type, KeyboardInterrupt):
            lost.append(unraisable.exc_type)
        else:
            before(unraisable)

    sys.unraisablehook = keep
    try:
        yield
    finally:
        sys.unraisablehook = before
        if lost:
            raise lost[0]
