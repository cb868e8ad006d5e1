"""`asr lm convert`: an n-gram model from one file format to the other."""

import argparse
from pathlib import Path

from asr.cli.outputs import file_to_write

HELP = "convert a model between ARPA and binary"
DESCRIPTION = """\
Convert an n-gram model from ARPA, by any tool, to the binary format, which opens instantly, or
back. File names decide: .arpa and compressed files (.arpa.gz) are ARPA, all others are binary.

example:
  asr lm convert 3-gram.pruned.1e-7.arpa.gz --output 3-gram.lm
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `asr lm convert` takes."""
    parser.add_argument("model", type=Path, metavar="MODEL", help="an n-gram model")
    parser.add_argument(
        "--output", type=file_to_write, required=True, metavar="FILE", help="model to write"
    )


def run(options: argparse.Namespace) -> int:
    """Read one format and write the other."""
    from asr.cli.lm.sizes import describe
    from asr.lm.files import read_ngram, write_ngram

    model = read_ngram(options.model)
    write_ngram(options.output, model)
    print(describe(options.output, model))
    return 0
