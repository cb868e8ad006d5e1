"""The state of a run, from which it resumes as if it had never stopped: one safetensors file.

Tensors hold the weights, the optimiser's moments, and what a run carries over from step to step;
the counters are JSON in the file's header. Nothing random needs a state: order, speeds, masks and
dropout of a batch follow from the seed, the epoch and the batch's number.
"""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from asr.errors import TrainingError
from asr.files import write_bytes


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
        best_wer: Lowest dev WER so far, a fraction; infinite before the first validation.
        best_epoch: The epoch that reached it.
        seconds: Time spent training, over all restarts.
        fingerprint: Hash of the run's configuration and data.
    """

    epoch: int = 0
    batch: int = 0
    step: int = 0
    loss: float = 0.0
    n_tokens: int = 0
    best_wer: float = float("inf")
    best_epoch: int = 0
    seconds: float = 0.0
    fingerprint: str = ""


def save_state(
    path: Path,
    run: Counters,
    modules: Mapping[str, nn.Module],
    optimiser: torch.optim.Optimizer,
    carried: Tensor | None = None,
) -> None:
    """Write a training state, complete or not at all; see `Run` for the arguments.

    Raises:
        TrainingError: It cannot be written, as on a full disk; the state before it is intact.
    """
    tensors = {
        f"{prefix}.{name}": tensor
        for prefix, module in modules.items()
        for name, tensor in module.state_dict().items()
    }
    for index, moments in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{index}.{name}": tensor for name, tensor in moments.items()}
    if carried is not None:
        tensors["carried"] = carried
    header = {"run": json.dumps(dataclasses.asdict(run))}
    contents = safetensors.torch.save({k: v.contiguous() for k, v in tensors.items()}, header)
    try:
        write_bytes(path, contents)
    except OSError as error:
        raise TrainingError(
            f"{path}: cannot be written: {error.strerror or error}. The state saved before is "
            "intact: once this is fixed, the same command resumes from there"
        ) from error


def load_state(
    path: Path,
    fresh: State,
    modules: Mapping[str, nn.Module],
    optimiser: torch.optim.Optimizer,
    carried: Tensor | None = None,
) -> State:
    """Load weights, moments and what was carried over in place; return the run's counters.

    Args:
        path: The state's file.
        fresh: The counters of a run of the same configuration and data before its first step.
        modules: See `Run`, as for `optimiser` and `carried`.
        optimiser: Its moments are overwritten.
        carried: Overwritten, unless it is None.

    Raises:
        TrainingError: The file is not a training state, or belongs to another configuration.
    """
    try:
        with safe_open(path, framework="pt") as file:
            run = type(fresh)(**json.loads(file.metadata()["run"]))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, KeyError, TypeError) as error:
        raise TrainingError(f"{path}: not a training state of this version ({error})") from error
    if run.fingerprint != fresh.fingerprint:
        raise TrainingError(
            f"{path}: belongs to a run with another configuration or other data; "
            "train into a new folder, or delete this one to start over"
        )
    for prefix, module in modules.items():
        module.load_state_dict(_below(f"{prefix}.", tensors))
    moments: dict[int, dict[str, Tensor]] = {}
    for name, tensor in _below("optimiser.", tensors).items():
        index, moment = name.split(".")
        moments.setdefault(int(index), {})[moment] = tensor
    optimiser.load_state_dict({**optimiser.state_dict(), "state": moments})
    if carried is not None:
        carried.copy_(tensors["carried"])
    return run


def _below(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
