"""Resident memory of a process while it runs: how much at most, and whether it grows."""

import statistics
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

INTERVAL = 0.1  # seconds
MB = 1_000_000
COLUMNS = ("memory by quarter, MB", "most, MB")


@dataclass(slots=True)
class Memory:
    """Bytes that were resident, as Linux counts them, mapped files included; elsewhere nothing.

    Attributes:
        samples: One each `INTERVAL`.
        peak: The most, also between two samples.
    """

    samples: list[int] = field(default_factory=list)
    peak: int = 0

    @property
    def quarters(self) -> list[float]:
        """The median of each quarter of the time; of a flat process the last ones are equal."""
        n = len(self.samples)
        parts = [self.samples[i * n // 4 : (i + 1) * n // 4] for i in range(4)]
        return [statistics.median(part or self.samples) for part in parts if self.samples]

    @property
    def cells(self) -> list[str]:
        """A cell for each of `COLUMNS`."""
        quarters = " / ".join(f"{n_bytes / MB:.0f}" for n_bytes in self.quarters)
        return [quarters, f"{self.peak / MB:.0f}" if self.samples else ""]

    @property
    def figures(self) -> dict[str, object]:
        """The same for programs, in bytes."""
        return {"peak_bytes": self.peak, "bytes_by_quarter": self.quarters}


class Watch:
    """Samples the memory of a process, in a thread, while the block runs."""

    def __init__(self, process_id: int) -> None:
        self.memory = Memory()
        self._status = Path(f"/proc/{process_id}/status")
        self._has_ended = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._has_ended.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._has_ended.wait(INTERVAL):
            try:
                lines = self._status.read_text().splitlines()
            except OSError:  # the process has ended, or this is not Linux
                return
            found = dict(line.split(":", maxsplit=1) for line in lines)
            if "VmRSS" in found:  # else it is just ending
                self.memory.samples.append(_n_bytes(found["VmRSS"]))
                self.memory.peak = _n_bytes(found["VmHWM"])


def _n_bytes(text: str) -> int:
    """Read a size as /proc writes it, such as ` 1234 kB`."""
    return 1024 * int(text.split(maxsplit=1)[0])
