"""Convert an n-gram model from ARPA, by any tool, to binary, or back.

The binary format opens instantly. The name of the output decides: .arpa and compressed files
(.arpa.gz) are ARPA, all others are binary.

Example:
  asr lm convert 3-gram.pruned.1e-7.arpa.gz --output 3-gram.lm
"""

import argparse
from pathlib import Path

from asr.cli.lm.sizes import describe
from asr.cli.outputs import add_output
from asr.lm.files import read_ngram, write_ngram


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", type=Path, metavar="MODEL", help="an n-gram model")
    add_output(parser, "FILE", "model to write")


def run(options: argparse.Namespace) -> int:
    model = read_ngram(options.model)
    write_ngram(options.output, model)
    print(describe(options.output, model))
    return 0
