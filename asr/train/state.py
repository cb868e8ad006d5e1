"""The counters of a run: where it stands."""

import dataclasses
from typing import Any, ClassVar, Protocol, TypeVar

STATE_FILE = "state.safetensors"  # in the folder of a run


class Counters(Protocol):
    """A dataclass of a run's counters."""

    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]
    seconds: float
    fingerprint: str


State = TypeVar("State", bound=Counters)


@dataclasses.dataclass(slots=True)
class RunState:
    """Where a run stands.

    Attributes:
        epoch: Epochs finished.
        batch: Batches done in the current epoch.
        step: Updates made in all.
        loss: Sum over the current epoch so far, nats.
        n_tokens: Reference tokens in that sum.
        n_skipped: Utterances that took no part in the current epoch so far.
        speech: Seconds of speech trained on in it.
        epoch_seconds: Time that took.
        best_wer: Lowest dev WER so far, a fraction; infinite before the first validation.
        best_loss: Lowest dev loss of those epochs, nats per reference token.
        best_epoch: The epoch that reached both.
        seconds: Time spent training, over all restarts.
        fingerprint: Hash of the run's configuration and data.
    """

    epoch: int = 0
    batch: int = 0
    step: int = 0
    loss: float = 0.0
    n_tokens: int = 0
    n_skipped: int = 0
    speech: float = 0.0
    epoch_seconds: float = 0.0
    best_wer: float = float("inf")
    best_loss: float = float("inf")  # older runs have none
    best_epoch: int = 0
    seconds: float = 0.0
    fingerprint: str = ""
