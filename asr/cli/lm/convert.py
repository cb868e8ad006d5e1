"""`asr lm convert`: a model from one form of file into the other."""

import argparse
from pathlib import Path

from asr.cli.outputs import file_to_write

HELP = "change a model's form: ARPA or binary"
DESCRIPTION = """\
Change the form of an n-gram model: from ARPA, by this or any other tool, to the binary form that
opens at once, or back. The names say which: .arpa or a compressed file (.arpa.gz) is ARPA, anything
else is binary.

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
    """Read one form and write the other."""
    from asr.cli.lm.sizes import describe
    from asr.lm.files import read_ngram, write_ngram

    model = read_ngram(options.model)
    write_ngram(options.output, model)
    print(describe(options.output, model))
    return 0
