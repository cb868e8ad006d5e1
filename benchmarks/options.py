"""What several benchmarks are told: where the data lies, and options that they share."""

import argparse
import os
import sys
from pathlib import Path

from asr.checkpoint.names import DEFAULT_MODEL
from asr.cli.numbers import at_least
from asr.provenance import n_cores
from benchmarks.paired import RESULTS

DATA = Path(os.environ.get("ASR_DATA", Path(__file__).parents[2] / "shared" / "data"))


def option_parser(page: str | None) -> argparse.ArgumentParser:
    """Make the parser of a benchmark, whose docstring is the page of its --help."""
    return argparse.ArgumentParser(
        prog=f"python -m benchmarks.{Path(sys.argv[0]).stem}",
        description=page,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def add_system_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which recognisers run, and how."""
    parser.add_argument(
        "--python",
        type=_environment,
        action="append",
        metavar="NAME=PATH",
        help="an environment and its Python (default: ours, the one that runs this)",
    )
    add_model_options(parser)


def add_model_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which model of ours runs, and on how many threads."""
    parser.add_argument(
        "--threads",
        type=at_least(1),
        default=n_cores(),
        metavar="N",
        help="CPU threads of each system (default: as many as cores)",
    )
    parser.add_argument("--model", default=DEFAULT_MODEL, help="of ours (default: %(default)s)")


def add_folder_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which corpus is heard, and where results go."""
    parser.add_argument(
        "--audio",
        type=Path,
        default=DATA / "LibriSpeech" / "dev-clean",
        metavar="FOLDER",
        help="the corpus, in LibriSpeech's layout (default: dev-clean in $ASR_DATA)",
    )
    add_results_option(parser)


def add_results_option(parser: argparse.ArgumentParser) -> None:
    """Add the option that says where results go."""
    parser.add_argument(
        "--results",
        type=Path,
        default=RESULTS,
        metavar="FOLDER",
        help="where tables and figures go (default: benchmarks/results)",
    )


def _environment(text: str) -> tuple[str, Path]:
    """Read NAME=PATH."""
    name, found, path = text.partition("=")
    if not (name and found and path) or "/" in name:
        raise argparse.ArgumentTypeError(f"expected NAME=PATH, got {text!r}")
    return name, Path(path)
