"""How to search: the options that `asr transcribe` and `asr decode` share."""

import argparse
from typing import TYPE_CHECKING

from asr.cli.numbers import at_least

if TYPE_CHECKING:
    from asr.search.beam import BeamConfig

BEAM_SIZE = 16
BEAM_THRESHOLD = 12.0  # nats


def add_search_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the search, its settings, and the threads it may take."""
    search = parser.add_argument_group("search")
    search.add_argument(
        "--search",
        choices=("greedy", "beam"),
        default="greedy",
        help="greedy is fastest; beam weighs many ways to the same text (default: greedy)",
    )
    search.add_argument(
        "--beam-size", type=int, metavar="N", help=f"prefixes kept (default: {BEAM_SIZE})"
    )
    search.add_argument(
        "--beam-threshold",
        type=float,
        metavar="NATS",
        help=f"prefixes this far below the best are dropped (default: {BEAM_THRESHOLD:g})",
    )
    search.add_argument(
        "--n-best", type=int, metavar="N", help="alternatives to list, in JSON (default: 1)"
    )
    parser.add_argument(
        "--threads", type=at_least(1), metavar="N", help="CPU threads (default: as many as cores)"
    )


def read_search(options: argparse.Namespace) -> "BeamConfig | None":
    """Take the settings of the beam from the command line; None means greedy search.

    Raises:
        ConfigError: A value is out of its range.
        SystemExit: Settings of the beam were given without `--search beam`.
    """
    from asr.search.beam import BeamConfig

    given = {
        name: value
        for name in ("beam_size", "beam_threshold", "n_best")
        if (value := getattr(options, name)) is not None
    }
    if options.search == "beam":
        defaults = {"beam_size": BEAM_SIZE, "beam_threshold": BEAM_THRESHOLD, "n_best": 1}
        return BeamConfig(**{**defaults, **given})
    for name in given:
        options.refuse(f"--{name.replace('_', '-')} is a setting of --search beam")
    return None


def describe_search(beam: "BeamConfig | None") -> str:
    """Say in a few words how it was searched, for tables."""
    if beam is None:
        return "greedy"
    return f"beam {beam.beam_size}, threshold {beam.beam_threshold:g}"


def use_threads(n_threads: int | None) -> None:
    """Give torch so many threads; None leaves it as many as it finds cores."""
    import torch

    if n_threads is not None:
        torch.set_num_threads(n_threads)
