"""What stands against using an utterance."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """An utterance, by its id, and the reason why it cannot be used."""

    id: str
    reason: str
