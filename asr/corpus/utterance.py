"""Utterances, the unit of a corpus, and the reasons why some of them cannot be used."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

Segment = tuple[float, float | None, int | None]  # offset, duration, channel


@dataclass(frozen=True, slots=True)
class Utterance:
    """A stretch of speech in a recording, and what is known about it.

    Attributes:
        id: Unique in its corpus; transcripts and scores refer to it.
        audio_filepath: The recording; a str is a URL.
        offset: Its start in the recording, in seconds.
        duration: Seconds; None: to the end of the recording.
        text: The reference; None: unknown.
        speaker: None: unknown.
        channel: The recording's channel, counted from 0; None: the mean of all.
    """

    id: str
    audio_filepath: Path | str
    offset: float = 0.0
    duration: float | None = None
    text: str | None = None
    speaker: str | None = None
    channel: int | None = None

    @property
    def segment(self) -> Segment:
        """Which part of its recording it is."""
        return self.offset, self.duration, self.channel


@dataclass(frozen=True, slots=True)
class Problem:
    """The id of an utterance, and the reason why it cannot be used."""

    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class CorpusReport:
    """What a corpus contains.

    Attributes:
        utterances: The usable ones.
        problems: The others, and why they cannot be used.
    """

    utterances: tuple[Utterance, ...]
    problems: tuple[Problem, ...]

    @classmethod
    def of(cls, found: Iterable[Utterance | Problem]) -> Self:
        """Sort out what was found."""
        found = list(found)
        return cls(
            tuple(one for one in found if isinstance(one, Utterance)),
            tuple(one for one in found if isinstance(one, Problem)),
        )


def as_utterance(recording: Utterance | Path | str) -> Utterance:
    """Make an utterance of a path or a URL; return an utterance as it is."""
    return recording if isinstance(recording, Utterance) else Utterance(str(recording), recording)


def without_folders(utterances: Iterable[Utterance]) -> list[Utterance]:
    """Name audio by its file alone, so that the same corpus elsewhere is equal."""
    return [
        replace(utterance, audio_filepath=Path(Path(utterance.audio_filepath).name))
        for utterance in utterances
    ]


def evenly(utterances: Sequence[Utterance], n_most: int) -> Sequence[Utterance]:
    """Choose at most `n_most` utterances, evenly spread."""
    return utterances[:: max(1, -(-len(utterances) // n_most))]
