"""Limits: what one client may cost the others."""

from dataclasses import dataclass

MEGABYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on requests; beyond each there is an answer, not a crash.

    Attributes:
        upload_bytes: Of one request, its form included; else 413.
        audio_seconds: Of one recording; else 413.
        requests: Uploading, waiting and computed at the same time; else 503.
        live: Live sessions at the same time; else 503.
        seconds: To upload, else 408; and then to be answered, else 503. For a live session, between
            two messages.
    """

    upload_bytes: int = 100 * MEGABYTE
    audio_seconds: float = 7200.0
    requests: int = 64
    live: int = 8
    seconds: float = 600.0
