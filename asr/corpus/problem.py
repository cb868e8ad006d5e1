"""Why an utterance cannot be used."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """The id of an utterance, and the reason why it cannot be used."""

    id: str
    reason: str
