"""Progress: what a run reports, as values; showing them is the watcher's part."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class StepReport:
    """One update.

    Attributes:
        epoch: Epochs done, a fraction inside one.
        step: Updates so far.
        batch: Batches done in this epoch.
        n_batches: Batches in this epoch.
        loss: Of the text head in this batch, nats per reference token.
        gradient_norm: Before clipping.
        learning_rate: Of this update.
        hours_per_hour: Hours of speech trained on per hour since the epoch (or the resume) began.
        seconds_left: Estimated time to the end of the last epoch.
        skipped: Ids of utterances with fewer frames than CTC needs.
    """

    epoch: float
    step: int
    batch: int
    n_batches: int
    loss: float
    gradient_norm: float
    learning_rate: float
    hours_per_hour: float
    seconds_left: float
    skipped: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EpochReport:
    """One pass over the training set, and how good the model is after it.

    Attributes:
        epoch: Epochs done.
        step: Updates so far.
        loss: Of the text head, mean over the epoch, nats per reference token.
        dev_loss: CTC's of the same head on the dev set; None where it was not measured.
        wer: Greedy WER on the dev set, a fraction; None where it was not measured.
        is_best: Whether no epoch before reached it, or the same with as low a dev loss.
        hours_per_hour: Hours of speech per hour of training, validation not counted.
        seconds: Time spent on the whole run so far.
        n_skipped: Utterances skipped in this epoch.
    """

    epoch: int
    step: int
    loss: float
    dev_loss: float | None
    wer: float | None
    is_best: bool
    hours_per_hour: float
    seconds: float
    n_skipped: int


class Watcher(Protocol):
    """Whoever watches a run: a progress bar, a log file, TensorBoard."""

    def on_step(self, report: StepReport) -> None:
        """Take the report of an update."""

    def on_validation(self, n_words: int) -> None:
        """Take the number of words of the dev set that are decoded so far."""

    def on_epoch(self, report: EpochReport) -> None:
        """Take the report of a finished epoch."""


class Unwatched:
    """Watches nothing: of several processes that train together, only the first one reports."""

    def on_step(self, report: StepReport) -> None:
        """Do nothing."""

    def on_validation(self, n_words: int) -> None:
        """Do nothing."""

    def on_epoch(self, report: EpochReport) -> None:
        """Do nothing."""
