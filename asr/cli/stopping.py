"""Stopping: a signal asks a long run to save its work and end."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Self

from asr.cli.messages import tell
from asr.errors import StoppedError


class Terminated(KeyboardInterrupt):
    """SIGTERM has come."""


@contextmanager
def terminating() -> Iterator[None]:
    """Let SIGTERM end the block as Ctrl-C does: said, and with nothing left half done."""

    def end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 (Python's own)
        raise Terminated

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class StopSignals:
    """Notes SIGINT and SIGTERM instead of dying of them; a second Ctrl-C ends the process as ever.

    A second SIGTERM is only noted: a cluster sends it to a process, and torchrun passes it on. The
    run inside the block asks `has_come`, and ends by a StoppedError, which the block prints and
    does not let out.

    Args:
        is_quiet: Print nothing.
        last: What is still done before the run ends, for the message.

    Attributes:
        received: The first signal that arrived; None before.
        has_stopped: Whether the run ended by a StoppedError.
    """

    def __init__(self, *, is_quiet: bool = False, last: str = "this step") -> None:
        self.is_quiet, self._last = is_quiet, last
        self.received: signal.Signals | None = None
        self.has_stopped = False

    def __enter__(self) -> Self:
        numbers = (signal.SIGINT, signal.SIGTERM)
        self._before = {number: signal.signal(number, self._note) for number in numbers}
        return self

    def __exit__(self, kind: object, error: object, traceback: object) -> bool:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self.has_stopped = isinstance(error, StoppedError)
        if self.has_stopped and not self.is_quiet:
            tell(str(error))
        return self.has_stopped

    def has_come(self) -> bool:
        """Tell whether the run is to end."""
        return self.received is not None

    @property
    def exit_status(self) -> int:
        """The status that a shell reports of a process that this signal ends."""
        return 128 + int(self.received or signal.SIGTERM)  # or another process received it

    def _note(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 (Python's own)
        signal.signal(signal.SIGINT, self._before[signal.SIGINT])
        if self.received is None and not self.is_quiet:
            tell(f"stopping after {self._last} (Ctrl-C: at once)")
        self.received = self.received or signal.Signals(number)
