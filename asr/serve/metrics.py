"""Metrics: what the server counts, in the text that Prometheus reads.

References:
    Prometheus documentation, "Exposition formats", text-based format.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from threading import Lock

LATENCIES = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)  # seconds
BATCH_SIZES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)  # utterances


class Histogram:
    """Counts how many values are at most each of some bounds."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self.total = 0.0  # the sum of all values
        self._lock = Lock()

    def observe(self, value: float) -> None:
        """Count a value; from any thread."""
        with self._lock:
            self._counts[bisect_left(self._bounds, value)] += 1
            self.total += value

    def lines(self, name: str) -> list[str]:
        """Write the cumulative counts, the sum and the number."""
        with self._lock:
            counts, total = list(self._counts), self.total
        bounds = [*(f"{bound:g}" for bound in self._bounds), "+Inf"]
        buckets = [
            f'{name}_bucket{{le="{bound}"}} {n}'
            for bound, n in zip(bounds, accumulate(counts), strict=True)
        ]
        return [*buckets, f"{name}_sum {total:.6f}", f"{name}_count {sum(counts)}"]


@dataclass(slots=True)
class Metrics:
    """What is counted; all but `batch_sizes` by the thread of the event loop alone.

    Attributes:
        requests: By path and status, of those that cost something.
        audio_seconds: Of uploaded recordings that were transcribed.
        live_seconds: Of what was said in live sessions.
        in_flight: Requests that are uploaded, wait or are computed.
        live: Live sessions.
        latencies: Seconds from the request to the whole answer.
        working: Seconds from the end of the upload to the answer of each transcribed recording.
        batch_sizes: Utterances that were computed together.
    """

    requests: Counter[tuple[str, int]] = field(default_factory=Counter)
    audio_seconds: float = 0.0
    live_seconds: float = 0.0
    in_flight: int = 0
    live: int = 0
    latencies: Histogram = field(default_factory=lambda: Histogram(LATENCIES))
    working: Histogram = field(default_factory=lambda: Histogram(LATENCIES))
    batch_sizes: Histogram = field(default_factory=lambda: Histogram(BATCH_SIZES))

    def text(self) -> str:
        """Write all metrics."""
        factor = self.working.total / self.audio_seconds if self.audio_seconds else 0.0
        of_what = "From upload to answer per second of audio, of transcriptions alone."
        audio = self.audio_seconds + self.live_seconds
        requests = [
            f'asr_requests_total{{path="{path}",status="{status}"}} {n}'
            for (path, status), n in sorted(self.requests.items())
        ]
        return "".join(
            [
                _family("asr_requests_total", "counter", "Requests by path and status.", requests),
                _value("asr_audio_seconds_total", "counter", "Audio, live sessions too.", audio),
                _value("asr_in_flight", "gauge", "Uploading, waiting, computed.", self.in_flight),
                _value("asr_live_sessions", "gauge", "Open live sessions.", self.live),
                _value("asr_real_time_factor", "gauge", of_what, factor),
                *(
                    _family(name, "histogram", told, histogram.lines(name))
                    for name, told, histogram in (
                        ("asr_latency_seconds", "From request to answer.", self.latencies),
                        ("asr_working_seconds", "From upload to answer.", self.working),
                        ("asr_batch_size", "Utterances computed together.", self.batch_sizes),
                    )
                ),
            ]
        )


def _value(name: str, kind: str, told: str, value: float) -> str:
    return _family(name, kind, told, [f"{name} {value:.15g}"])


def _family(name: str, kind: str, told: str, lines: Sequence[str]) -> str:
    return "\n".join([f"# HELP {name} {told}", f"# TYPE {name} {kind}", *lines, ""])
