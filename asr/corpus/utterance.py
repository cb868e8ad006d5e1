"""A stretch of speech: the unit of a corpus."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Utterance:
    """A stretch of speech in a recording, with what is known of it.

    Attributes:
        id: Unique in its corpus; transcripts and scores refer to it.
        audio_filepath: The recording.
        offset: Where in the recording it starts, in seconds.
        duration: Seconds; None: to the recording's end.
        text: The reference, what was said; None: not known.
        speaker: None: not known.
        channel: The recording's channel, counted from 0; None: all, mixed down.
    """

    id: str
    audio_filepath: Path
    offset: float = 0.0
    duration: float | None = None
    text: str | None = None
    speaker: str | None = None
    channel: int | None = None
