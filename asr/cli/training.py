"""What the verbs that train share: a configuration to change, and a model to make by a run."""

import argparse
import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

from asr.cli.numbers import at_least
from asr.cli.outputs import folder_to_make

if TYPE_CHECKING:
    from asr.char_lm.config import LanguageConfig
    from asr.config import Config
    from asr.train.state import RunState

Kind = TypeVar("Kind", "Config", "LanguageConfig")


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what every run takes, behind what it learns from."""
    parser.add_argument(
        "--output",
        type=folder_to_make,
        required=True,
        metavar="DIR",
        help="model directory to make; DIR.run keeps the state and the metrics of the run",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change a value of the configuration",
    )
    parser.add_argument(
        "--threads",
        type=at_least(1),
        metavar="N",
        help="CPU threads (default: as many as cores; beside a GPU one for each loader)",
    )


def read_run(
    options: argparse.Namespace,
    kind: type[Kind],
    path: Path,
    settings: Mapping[str, str] = MappingProxyType({}),
) -> Kind:
    """Read a configuration; `settings` go before what stands in it, and --set before both."""
    from asr.config import read_tree

    given = dict(entry.partition("=")[::2] for entry in options.set)
    return read_tree(kind, path, {**settings, **given})


def share_threads(options: argparse.Namespace, n_shards: int, device_type: str = "cpu") -> None:
    """Make this process one that trains: each shard of a batch has its threads and its memory.

    Where a GPU has the batch, the loaders have the threads: one each, unless --threads gives more.
    """
    import torch

    from asr.train.allocator import keep_freed_memory
    from asr.train.data import LOADERS

    keep_freed_memory()
    is_cpu, n_loaders = device_type == "cpu", LOADERS[device_type]
    n_threads = options.threads or (torch.get_num_threads() if is_cpu else n_loaders)
    torch.set_num_threads(max(1, n_threads // (n_shards if is_cpu else n_loaders)))


def use_threads(n_threads: int | None) -> None:
    """Let torch compute with so many threads; None leaves it one per core."""
    import torch

    if n_threads is not None:
        torch.set_num_threads(n_threads)


def quarter_of_memory() -> int:
    """Count the bytes that features may take: a quarter of the computer's memory."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 4


def run_end(state: "RunState", dev: Path | None) -> str:
    """Say in a line how a run ended: with the best epoch, by a dev set, or with the last one."""
    minutes = f"{state.seconds / 60:.0f} minutes"
    if dev is None:
        return f"epoch {state.epoch}, not judged, {minutes}"
    return (
        f"best WER on {dev.name} {100 * state.best_wer:.2f} % "
        f"(greedy, epoch {state.best_epoch} of {state.epoch}, {minutes})"
    )
