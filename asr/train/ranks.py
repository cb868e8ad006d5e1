"""Ranks: the processes that train one model together; most often there is only one.

torchrun starts them, here or on many machines, and tells each its number in the environment. They
make every update together: each takes its rows of the batch, and torch.distributed adds up what is
summed over the batch. Every rank then holds the same sums, and so the same weights.
"""

import hashlib
import importlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
from torch import Tensor, distributed, nn

from asr.errors import ConfigError, TrainingError

PATIENCE = timedelta(minutes=30)  # a rank waits no longer for the others


@dataclass(frozen=True, slots=True)
class Ranks:
    """This process among those that train the model.

    Attributes:
        rank: Its number, from 0.
        count: How many there are.
        device: Where this one computes.
    """

    rank: int
    count: int
    device: torch.device

    @property
    def is_first(self) -> bool:
        """Whether this one writes files and reports."""
        return self.rank == 0

    def rows(self, n_rows: int) -> slice:
        """Choose this rank's rows of a batch; there may be none, if they are fewer than ranks."""
        return cut(n_rows, self.count)[self.rank]

    def add(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """Add tensors up over all ranks.

        Args:
            tensors: Of equal type, and of equal shapes on every rank.

        Returns:
            The sums, on this rank's device, the same bits on every rank.

        Raises:
            TrainingError: Another rank ended, or did not come within `PATIENCE`.
        """
        if self.count == 1:
            return list(tensors)
        flat = torch.cat([tensor.flatten() for tensor in tensors]).to(self.device)
        _together(distributed.all_reduce, flat)
        parts = flat.split([tensor.numel() for tensor in tensors])
        return [part.view_as(tensor) for part, tensor in zip(parts, tensors, strict=True)]

    def gather(self, rows: Tensor, n_rows: int) -> Tensor:
        """Assemble a tensor of the whole batch, (n_rows, ...), from each rank's own rows."""
        if self.count == 1:
            return rows
        whole = rows.new_zeros(n_rows, *rows.shape[1:])
        whole[self.rows(n_rows)] = rows
        return self.add([whole])[0]

    def anyone(self, flag: bool) -> bool:
        """Tell whether the flag is set on any rank."""
        return bool(self.add([torch.tensor([flag], dtype=torch.int64)])[0].any())

    def begin_alike(self, model: nn.Module, standing: str) -> None:
        """Give every rank the first one's weights, if all begin at the same point of the same run.

        Args:
            model: Its parameters are overwritten.
            standing: Whatever must be equal on all ranks, as text.

        Raises:
            TrainingError: It is not.
        """
        if self.count == 1:
            return
        own = int.from_bytes(hashlib.sha256(standing.encode()).digest()[:7])
        numbers = self.gather(torch.tensor([own]), self.count)
        if len(set(numbers.tolist())) > 1:
            raise TrainingError(
                "the processes of this run do not begin alike: each must see the same "
                "configuration, manifests and OUTPUT.run (a folder that all machines share)"
            )
        for parameter in model.parameters():
            _together(distributed.broadcast, parameter.detach(), 0)


ALONE = Ranks(rank=0, count=1, device=torch.device("cpu"))


def cut(n_rows: int, n_parts: int) -> list[slice]:
    """Cut rows into runs of nearly equal size, some empty where there are fewer rows than parts."""
    bounds = [round(i * n_rows / n_parts) for i in range(n_parts + 1)]
    return [slice(bounds[i], bounds[i + 1]) for i in range(n_parts)]


@contextmanager
def join_ranks(device: str | None) -> Iterator[Ranks]:
    """Join the processes that torchrun started; without torchrun, be the only rank.

    Args:
        device: "cpu", "cuda" or "cuda:N"; None takes a GPU where there is one. Of several GPUs, a
            process takes the one with its number on the machine (LOCAL_RANK), unless N says which.

    Raises:
        ConfigError: There is no such device.
    """
    count, chosen = int(os.environ.get("WORLD_SIZE", "1")), _device(device)
    if count == 1:
        yield Ranks(0, 1, chosen)
        return
    if chosen.type == "cuda":
        torch.cuda.set_device(chosen)
    # Imported once there is a group, this would hold the group in default arguments, and with it a
    # thread that may outlive Python, which then aborts.
    importlib.import_module("torch.distributed.nn")
    distributed.init_process_group("nccl" if chosen.type == "cuda" else "gloo", timeout=PATIENCE)
    yield Ranks(distributed.get_rank(), count, chosen)
    distributed.destroy_process_group()  # not after an error: it would wait for the others


def _device(name: str | None) -> torch.device:
    name = name or ("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cuda":
        name = f"cuda:{os.environ.get('LOCAL_RANK', '0')}"
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ConfigError(f"expected a device like cpu, cuda or cuda:1, got {name!r}") from error
    n_gpus = torch.cuda.device_count()
    if device.type != "cpu" and not (device.type == "cuda" and device.index < n_gpus):
        raise ConfigError(f"there is no device {name} here; torch sees {n_gpus} GPUs by CUDA")
    return device


def _together(collective: Callable[..., object], *arguments: object) -> None:
    """Call what all ranks call at the same time; raise an error if one of them is missing."""
    try:
        collective(*arguments)
    except RuntimeError as error:
        raise TrainingError(
            "another process of this run ended or hangs; its own message says why. The state on "
            "disk is intact, and the same command goes on from there"
        ) from error
