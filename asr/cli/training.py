"""What the verbs that train share: a configuration to change, and a model to make by a run."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from asr.cli.numbers import at_least
from asr.cli.outputs import folder_to_make

if TYPE_CHECKING:
    from asr.config import Config, LanguageConfig, SpellingConfig

Kind = TypeVar("Kind", "Config", "SpellingConfig", "LanguageConfig")


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
        "--set", action="append", default=[], metavar="KEY=VALUE", help="change a value of CONFIG"
    )
    parser.add_argument(
        "--threads", type=at_least(1), metavar="N", help="CPU threads (default: as many as cores)"
    )


def read_run(options: argparse.Namespace, kind: type[Kind]) -> Kind:
    """Read the configuration, with what is changed of it, and give each of its shards threads."""
    import torch

    from asr.config import read_tree
    from asr.train.allocator import keep_freed_memory

    keep_freed_memory()
    overrides = dict(entry.partition("=")[::2] for entry in options.set)
    config = read_tree(kind, options.config, overrides)
    n_threads = options.threads or torch.get_num_threads()
    torch.set_num_threads(max(1, n_threads // config.train.n_shards))
    return config


def run_folder(output: Path) -> Path:
    """Make the folder that keeps the state and the metrics of a run."""
    folder = output.with_name(output.name + ".run")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
