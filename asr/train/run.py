"""Run: a training in a folder, which saves its state regularly and resumes from it.

The state is one safetensors file. Tensors hold the weights, the optimiser's moments, and what a run
carries over from step to step; the counters are JSON in the file's header. Nothing random needs a
state: order, speeds, masks and dropout of a batch follow from the seed, the epoch and the batch's
number.
"""

import dataclasses
import hashlib
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Generic

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from asr.errors import StoppedError, TrainingError
from asr.files import lock, write_bytes
from asr.train.ranks import ALONE, Ranks
from asr.train.state import STATE_FILE, State

LOCK_FILE = "lock"


def run_folder(output: Path) -> Path:
    """Make the folder, next to a model directory, for the state and metrics of its training."""
    folder = output.with_name(f"{output.name}.run")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def sole_training(folder: Path, ranks: Ranks = ALONE) -> Iterator[None]:
    """Keep other processes from training in a folder; of several ranks, the first one does.

    Raises:
        TrainingError: Another process trains there.
    """
    descriptor = lock(folder / LOCK_FILE) if ranks.is_first else None
    if ranks.is_first and descriptor is None:
        raise TrainingError(
            f"{folder}: another process trains here; wait for it, or train into another folder"
        )
    try:
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


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
        state: The run's counters.

    Raises:
        TrainingError: The file in the folder is not a training state, is damaged, or belongs to
            another configuration or other data.
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
        self._modules, self._optimiser, self._carried = modules, optimiser, carried
        self.state = self._load(state) if self._path.exists() else state
        self._saved = time.monotonic()

    @property
    def seconds(self) -> float:
        """Time spent on the run so far, over all restarts."""
        return self.state.seconds + time.monotonic() - self._saved

    def save(self) -> None:
        """Write the state, complete or not at all; of several ranks, only the first one does.

        Raises:
            TrainingError: It cannot be written, as on a full disk; the state before it is intact.
        """
        self.state.seconds = self.seconds
        self._saved = time.monotonic()
        if not self._ranks.is_first:
            return
        tensors = self._tensors()
        header = {"run": json.dumps(dataclasses.asdict(self.state)), "sha256": _digest(tensors)}
        contents = safetensors.torch.save(tensors, header)
        try:
            write_bytes(self._path, contents)
        except OSError as error:
            raise TrainingError(
                f"{self._path}: cannot be written: {error.strerror or error}. The state saved "
                "before is intact: once this is fixed, the same command resumes from there"
            ) from error

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

    def _tensors(self) -> dict[str, Tensor]:
        tensors = {
            f"{prefix}.{name}": tensor.contiguous()
            for prefix, module in self._modules.items()
            for name, tensor in module.state_dict().items()
        }
        for index, moments in self._optimiser.state_dict()["state"].items():
            for name, tensor in moments.items():
                tensors[f"optimiser.{index}.{name}"] = tensor.contiguous()
        if self._carried is not None:
            tensors["carried"] = self._carried.contiguous()
        return tensors

    def _load(self, fresh: State) -> State:
        """Load weights, moments and what was carried over in place; return the counters."""
        try:
            with safe_open(self._path, framework="pt") as file:
                state = type(fresh)(**json.loads(file.metadata()["run"]))
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
                digest = file.metadata().get("sha256")  # older versions wrote none
        except (SafetensorError, KeyError, TypeError, ValueError) as error:
            raise TrainingError(
                f"{self._path}: not a training state of this version ({error})"
            ) from error
        if digest not in (None, _digest(tensors)):
            raise TrainingError(
                f"{self._path}: is damaged: its numbers are not those that were written; restore "
                "it from a copy, or delete it to start over"
            )
        if state.fingerprint != fresh.fingerprint:
            raise TrainingError(
                f"{self._path}: belongs to a run with another configuration or other data; "
                "train into a new folder, or delete this one to start over"
            )
        for prefix, module in self._modules.items():
            module.load_state_dict(_below(f"{prefix}.", tensors))
        moments: dict[int, dict[str, Tensor]] = {}
        for name, tensor in _below("optimiser.", tensors).items():
            index, moment = name.split(".")
            moments.setdefault(int(index), {})[moment] = tensor
        self._optimiser.load_state_dict({**self._optimiser.state_dict(), "state": moments})
        if self._carried is not None:
            self._carried.copy_(tensors["carried"])
        return state


def _digest(tensors: dict[str, Tensor]) -> str:
    """Hash names and numbers of tensors on any device, as hexadecimal digits."""
    content = hashlib.sha256()
    for name in sorted(tensors):
        content.update(name.encode())
        content.update(tensors[name].cpu().reshape(-1).view(torch.uint8).numpy().data)
    return content.hexdigest()


def _below(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
