"""Progress of the language model: where a run stands, and what it tells whoever watches it."""

import math
from dataclasses import dataclass
from typing import Protocol

from asr.char_lm.scores import CharacterPerplexity


@dataclass(slots=True)
class LanguageRunState:
    """Where a run stands.

    Attributes:
        step: Updates made, of which each read a chunk.
        loss: Sum over the updates since the last validation, nats a character.
        n_losses: How many those are.
        best_bits: Fewest bits per character of the dev text so far.
        best_step: The update that reached it.
        seconds: Time spent training, over all restarts.
        fingerprint: Hash of the configuration and the texts that the run began with.
    """

    step: int = 0
    loss: float = 0.0
    n_losses: int = 0
    best_bits: float = math.inf
    best_step: int = 0
    seconds: float = 0.0
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class ChunkReport:
    """One update: how many, of how many, the characters it read, and its loss in bits for each."""

    step: int
    n_steps: int
    n_characters: int
    bits: float


@dataclass(frozen=True, slots=True)
class ValidationReport:
    """What the model knows.

    Attributes:
        step: Updates so far.
        epoch: Passes over the text so far.
        bits: Per character of the training text, mean since the last validation.
        dev: What the model says of the dev text.
        is_best: Whether no validation before gave fewer bits.
        seconds: Time spent on the whole run so far.
    """

    step: int
    epoch: float
    bits: float
    dev: CharacterPerplexity
    is_best: bool
    seconds: float


class LanguageWatcher(Protocol):
    """Whoever watches a run."""

    def on_chunk(self, report: ChunkReport) -> None:
        """Hear of an update."""

    def on_validation(self, report: ValidationReport) -> None:
        """Hear how well the dev text is predicted."""
