"""Compiled: functions over arrays turned into machine code by numba, whose one door this is.

Compiling takes some seconds, once per machine: the code is kept beside the source file, or where
`NUMBA_CACHE_DIR` says, or in the user's cache folder. Where none of these can be written, it is
compiled anew in every process. Compiled code does not hold Python's lock, so that threads run it
at the same time.
"""

import logging
from collections.abc import Callable
from functools import cache
from typing import Any, ParamSpec, TypeVar

import numba
from numba.core import event

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

_LOG = logging.getLogger(__name__)


class _Notice(event.Listener):
    """Says, once a process, why it waits: where compiled code was kept, there is no such event."""

    def on_start(self, _: event.Event) -> None:
        _say_once("compiling for this machine: some seconds, the first time")

    def on_end(self, _: event.Event) -> None:
        """Say nothing."""


event.register("numba:compile", _Notice())  # type: ignore[no-untyped-call]


def compiled(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Compile a function when it is first called.

    It cannot make arrays, only fill those that it is given, and so spends no time on counting who
    holds one. Division by zero is as in numpy.
    """
    try:
        return _jit(function, cache=True)
    except RuntimeError:  # numba found no folder that it can write
        _say_once("no folder to keep compiled code in; set NUMBA_CACHE_DIR to one")
        return _jit(function, cache=False)


def _jit(function: Callable[Arguments, Result], *, cache: bool) -> Callable[Arguments, Result]:
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "_nrt": False, "cache": cache}
    result: Callable[Arguments, Result] = numba.njit(function, **options)
    return result


@cache
def _say_once(message: str) -> None:
    _LOG.warning(message)
