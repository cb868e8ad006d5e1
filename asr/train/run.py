"""Run: a training in a folder, which saves its state regularly and resumes from it."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Generic

import torch
from torch import Tensor, nn

from asr.errors import StoppedError
from asr.train.ranks import ALONE, Ranks
from asr.train.state import State, load_state, save_state

STATE_FILE = "state.safetensors"


def run_folder(output: Path) -> Path:
    """Make the folder, next to a model directory, for the state and metrics of its training."""
    folder = output.with_name(f"{output.name}.run")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class Run(Generic[State]):
    """A training in a folder: started there, or resumed from the state that it finds.

    Args:
        folder: Holds the state.
        state: The counters of a run of this configuration and data before its first step.
        modules: Whatever has weights, by name. Saved weights are loaded into them.
        optimiser: Saved moments are loaded into it.
        carried: What the run carries over from step to step, if anything. It is loaded, too.
        checkpoint_minutes: A run that is killed loses at most this much work.
        ranks: The processes that train together; the first one writes the state.

    Attributes:
        state: Where the run stands.

    Raises:
        TrainingError: The state in the folder belongs to another configuration or other data.
    """

    def __init__(
        self,
        folder: Path,
        state: State,
        modules: Mapping[str, nn.Module],
        optimiser: torch.optim.Optimizer,
        carried: Tensor | None = None,
        *,
        checkpoint_minutes: float,
        ranks: Ranks = ALONE,
    ) -> None:
        self._path, self._ranks = folder / STATE_FILE, ranks
        self._interval = 60.0 * checkpoint_minutes  # seconds
        self._parts = modules, optimiser, carried
        self.state = state
        if self._path.exists():
            self.state = load_state(self._path, state, *self._parts)
        self._saved = time.monotonic()

    @property
    def seconds(self) -> float:
        """Time spent on the run so far, over all restarts."""
        return self.state.seconds + time.monotonic() - self._saved

    def save(self) -> None:
        """Write the state; of several ranks, only the first one does."""
        self.state.seconds = self.seconds
        self._saved = time.monotonic()
        if self._ranks.is_first:
            save_state(self._path, self.state, *self._parts)

    def save_if_due(self) -> None:
        """Save the state if it was last saved more than `checkpoint_minutes` ago."""
        if time.monotonic() - self._saved > self._interval:
            self.save()

    def stop_if(self, must_stop: bool, where: str) -> None:
        """End the run, its state saved, if any rank must stop.

        Raises:
            StoppedError: One must; the message contains `where`.
        """
        if self._ranks.anyone(must_stop):
            self.save()
            raise StoppedError(
                f"stopped {where}; the state is saved, and the same command resumes from there"
            )
