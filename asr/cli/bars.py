"""Progress bars: of work that counts what it has done, and of hours of audio."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Self

from tqdm import tqdm

from asr.audio.pcm import PcmFormat
from asr.audio.recording import open_recording
from asr.audio.source import STDIN, is_url
from asr.errors import AudioError

_HOURS = "{percentage:3.0f}%|{bar}| {n:.2f} of {total:.2f} h, {remaining} left{postfix}"

Advance = Callable[[int, int | None], None]


@contextmanager
def counting_bar(label: str, unit: str, *, scale: bool = False) -> Iterator[Advance]:
    """Show a bar on stderr, if that is a terminal.

    Args:
        label: In front of the bar.
        unit: Name of what is counted.
        scale: Whether to write 1.2M for 1,200,000.

    Yields:
        A function to call with what is done so far, and with the whole (None: not known).
    """
    with tqdm(desc=label, unit=unit, unit_scale=scale, disable=None, leave=False) as bar:

        def advance(n_done: int, n_all: int | None) -> None:
            bar.total = n_all
            bar.update(n_done - bar.n)

        yield advance


class HoursBar:
    """A bar of the hours of audio that are recognised, of all that there are, and the time left.

    How long recordings last is read from their headers, in a thread beside the work.

    Args:
        sources: What will be recognised. URLs and standard input count once they are done.
        pcm: They are raw samples of this format.
        file: Where to show it; None: stderr, if that is a terminal, else nowhere.
    """

    def __init__(
        self,
        sources: Sequence[Path | str],
        pcm: PcmFormat | None = None,
        file: IO[str] | None = None,
    ) -> None:
        self._bar = tqdm(
            total=1e-9,  # never none, which has another look
            bar_format=_HOURS,
            smoothing=0.0,
            miniters=0,  # hours are no whole numbers, which tqdm expects
            leave=False,
            file=file,
            disable=False if file is not None else None,
        )
        self._sources, self._pcm = sources, pcm
        self._all = self._done = 0.0
        self._n_failed = 0
        self._hours: dict[Path | str, float] = {}
        self._has_ended = threading.Event()
        self._lock = threading.Lock()
        self._measuring = threading.Thread(target=self._measure, daemon=True)

    def __enter__(self) -> Self:
        if not self._bar.disable:
            self._measuring.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._has_ended.set()
        if self._measuring.is_alive():
            self._measuring.join()
        self._bar.close()

    def advance(self, seconds: float) -> None:
        """Count seconds of audio that were recognised."""
        with self._lock:
            self._done += seconds / 3600
            self._show()

    def fail(self, source: Path | str) -> None:
        """Count a recording that has no transcript."""
        with self._lock:
            self._n_failed += 1
            self._all -= self._hours.get(source, 0.0)
            self._show()
            self._bar.set_postfix_str(f"{self._n_failed} failed")

    def _measure(self) -> None:
        for source in self._sources:
            if self._has_ended.is_set():
                return
            if is_url(source) or str(source) == STDIN:
                continue
            try:
                with open_recording(source, pcm=self._pcm) as recording:
                    hours = (recording.duration or 0.0) / 3600
            except AudioError:
                continue
            with self._lock:
                self._hours[source] = hours
                self._all += hours
                self._show()

    def _show(self) -> None:
        self._bar.total = max(self._all, self._done, 1e-9)
        self._bar.update(self._done - self._bar.n)
