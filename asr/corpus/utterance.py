"""A stretch of speech: the unit of a corpus."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
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


def without_folders(utterances: Iterable[Utterance]) -> list[Utterance]:
    """Name audio by its file alone: what is equal if the same corpus lies elsewhere."""
    return [
        replace(utterance, audio_filepath=Path(utterance.audio_filepath.name))
        for utterance in utterances
    ]
