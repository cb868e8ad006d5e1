"""Progress: where a run stands, and what it reports."""

import math
from dataclasses import dataclass
from typing import Protocol

from asr.char_lm.scores import CharacterPerplexity


@dataclass(slots=True)
class LanguageRunState:
    """Where a run stands.

    Attributes:
        step: Updates so far, each on one chunk.
        loss: Sum over the updates since the last validation, nats per character.
        n_losses: Number of these updates.
        best_bits: Fewest bits per character of the dev text so far.
        best_step: The update that reached it.
        seconds: Time spent on training, over all restarts.
        fingerprint: Hash of the configuration and the texts that the run started with.
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
    """One update.

    Attributes:
        step: Updates so far.
        n_steps: Updates of the whole run.
        n_characters: Characters of the chunk.
        bits: Loss per character.
    """

    step: int
    n_steps: int
    n_characters: int
    bits: float


@dataclass(frozen=True, slots=True)
class ValidationReport:
    """One validation.

    Attributes:
        step: Updates so far.
        epoch: Passes over the text so far.
        bits: Per character of the training text, mean since the last validation.
        dev: The perplexity of the dev text.
        is_best: Whether no earlier validation gave as few bits.
        seconds: Time spent on the run so far, over all restarts.
    """

    step: int
    epoch: float
    bits: float
    dev: CharacterPerplexity
    is_best: bool
    seconds: float


class LanguageWatcher(Protocol):
    """Receives the progress of a run."""

    def on_chunk(self, report: ChunkReport) -> None:
        """Receive an update's report."""

    def on_validation(self, report: ValidationReport) -> None:
        """Receive a validation's report."""
