"""Compiled: functions over arrays turned into machine code by numba, whose one door this is.

Compiling takes some seconds, once per machine: the code is kept beside the source file, or where
`NUMBA_CACHE_DIR` says, or in the user's cache folder. Where none of these can be written, or the
disk is full, it is compiled anew in every process; where a kept file is damaged, once more.
Compiled code does not hold Python's lock, so that threads run it at the same time.
"""

import logging
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any, ParamSpec, TypeVar, cast

import numba
from numba.core import event
from numba.core.caching import FunctionCache

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
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "_nrt": False}
    result: Any = numba.njit(function, **options)
    try:
        # as cache=True does, which takes numba's own
        result._cache = _KeptCode(function)  # type: ignore[no-untyped-call]
    except RuntimeError:  # numba found no folder that it can write
        _say_once("no folder to keep compiled code in; set NUMBA_CACHE_DIR to one")
    return cast(Callable[Arguments, Result], result)


class _KeptCode(FunctionCache):
    """numba's cache, but what it cannot read or write costs time, and stops nobody."""

    def load_overload(self, *arguments: Any) -> Any:  # noqa: ANN401 -- numba's own affair
        try:
            return super().load_overload(*arguments)  # type: ignore[no-untyped-call]
        except Exception as error:  # noqa: BLE001 -- a damaged file raises whatever it likes
            _say_once(f"compiled code in {self.cache_path} cannot be read ({error!r}): made anew")
            with suppress(OSError):
                self.flush()  # type: ignore[no-untyped-call]
            return None

    def save_overload(self, *arguments: Any) -> None:  # noqa: ANN401
        try:
            super().save_overload(*arguments)  # type: ignore[no-untyped-call]
        except OSError as error:
            _say_once(f"compiled code cannot be kept in {self.cache_path} ({error.strerror})")


@cache
def _say_once(message: str) -> None:
    _LOG.warning(message)
