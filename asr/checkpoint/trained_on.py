"""Trained on: the speech that a model has learned from, for its card and for reports."""

from dataclasses import dataclass

from asr.errors import counted
from asr.text.markdown import duration

TRAINED_ON_FILE = "trained-on.toml"


@dataclass(frozen=True, slots=True)
class Speech:
    """The speech of one training.

    Attributes:
        source: Where it is from, such as the path of its manifest.
        n_utterances: Number of utterances.
        hours: Their total duration, at their own speed.
    """

    source: str
    n_utterances: int
    hours: float

    def __str__(self) -> str:
        """Write it in a line."""
        n_utterances = counted(self.n_utterances, "utterance")
        return f"{duration(3600 * self.hours)} of {self.source}, {n_utterances}"


@dataclass(frozen=True, slots=True)
class TrainedOn:
    """The speech of a model's trainings, in their order; none: unknown."""

    speech: tuple[Speech, ...] = ()

    def then(self, speech: Speech) -> "TrainedOn":
        """Add another training; one on the same speech adds nothing."""
        before = tuple(one for one in self.speech if one != speech)
        return TrainedOn((*before, speech))

    def __str__(self) -> str:
        """Write it in a line, empty if unknown."""
        return "; then ".join(map(str, self.speech))
