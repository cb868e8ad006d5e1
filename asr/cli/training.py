"""What the verbs that train share: a configuration to change, and a model to make by a run."""

import argparse
import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from asr.char_lm.config import LanguageConfig
from asr.cli.outputs import folder_to_make
from asr.config import Config, read_tree

Kind = TypeVar("Kind", Config, LanguageConfig)


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what every run takes besides what it learns from."""
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
        help="change a value of the configuration; may be repeated",
    )


def read_run_config(
    options: argparse.Namespace,
    kind: type[Kind],
    path: Path,
    settings: Mapping[str, str] = MappingProxyType({}),
) -> Kind:
    """Read a configuration; `settings` override the file's values, and --set overrides both."""
    given = dict(entry.partition("=")[::2] for entry in options.set)
    return read_tree(kind, path, {**settings, **given})


def share_threads(n_threads: int | None, n_shards: int, device_type: str = "cpu") -> None:
    """Divide the threads of a process that trains among the shards of a batch.

    On a GPU, the loaders get them instead. None: as many threads as cores, or one per loader.
    """
    import torch

    from asr.train.allocator import keep_freed_memory
    from asr.train.data import LOADERS

    keep_freed_memory()
    is_cpu, n_loaders = device_type == "cpu", LOADERS[device_type]
    n_threads = n_threads or (torch.get_num_threads() if is_cpu else n_loaders)
    torch.set_num_threads(max(1, n_threads // (n_shards if is_cpu else n_loaders)))


def use_threads(n_threads: int | None) -> None:
    """Set the number of torch's threads; None leaves it one per core."""
    import torch

    if n_threads is not None:
        torch.set_num_threads(n_threads)


def quarter_of_memory() -> int:
    """Return a quarter of the computer's memory, in bytes: what cached features may take."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 4
