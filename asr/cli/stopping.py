"""Stopping: a signal asks a long run to end by itself, its work saved."""

import signal
import sys
from types import FrameType, TracebackType
from typing import Self

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopSignals:
    """Notes SIGINT and SIGTERM instead of dying of them; the second one kills as ever.

    Attributes:
        received: The signal that came; None before.
    """

    def __init__(self) -> None:
        self.received: signal.Signals | None = None

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._note) for number in SIGNALS}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._restore()

    def has_come(self) -> bool:
        """Tell whether the run is to end."""
        return self.received is not None

    @property
    def exit_status(self) -> int:
        """What a shell reports of a process that this signal ends."""
        return 128 + int(self.received or signal.SIGTERM)  # or another process received it

    def _note(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 (Python's own)
        self.received = signal.Signals(number)
        self._restore()
        print("asr: stopping after this step (once more: at once)", file=sys.stderr)

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
