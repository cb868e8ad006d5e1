"""Service: what all requests share."""

from dataclasses import dataclass

from asr.recognizer import Recognizer
from asr.serve.limits import Limits
from asr.serve.metrics import Metrics
from asr.serve.refusal import Refusal
from asr.serve.work import Workers


@dataclass(frozen=True, slots=True)
class Service:
    """One model, and what works with it.

    Attributes:
        name: Of the model, for clients.
        recognizer: Shares its engine between threads.
        limits: Of a request.
        metrics: What is counted.
        workers: For recordings.
        live_workers: For live sessions, which hold a thread each.
    """

    name: str
    recognizer: Recognizer
    limits: Limits
    metrics: Metrics
    workers: Workers
    live_workers: Workers

    @property
    def n_most(self) -> int:
        """Samples of one recording, at most."""
        return round(self.limits.audio_seconds * self.recognizer.sample_rate)

    def check_model(self, name: str | None) -> None:
        """Refuse any model but this one; None is this one."""
        if name not in {None, self.name}:
            raise Refusal(
                404,
                f"there is no such model here, only {self.name}",
                code="model_not_found",
                param="model",
            )
