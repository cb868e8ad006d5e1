"""Convert an n-gram model from ARPA, by any tool, to binary, or back.

The binary format opens instantly. The name of the output decides: .arpa and compressed files
(.arpa.gz) are ARPA, all others are binary.

--compact makes a binary file of a fifth of the size, to be given away. Opening it takes longer,
some 10 ms for a million n-grams, and memory of its own. Its numbers are rounded, those of a model
of books by 0.015 in log10 at most. A word's probability by a 3-gram is the product of up to three,
and differs by 0.007 on average, 0.025 at most. asr pack stores a model's language model so.

Examples:
  asr lm convert 3-gram.pruned.1e-7.arpa.gz --output 3-gram.lm
  asr lm convert 3-gram.lm --compact --output 3-gram.compact.lm
"""

import argparse
from pathlib import Path

from asr.cli.lm.sizes import describe
from asr.cli.outputs import add_output
from asr.lm.files import is_text, read_ngram, write_ngram


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", type=Path, metavar="MODEL", help="an n-gram model")
    add_output(parser, "FILE", "model to write")
    parser.add_argument("--compact", action="store_true", help="a fifth of the size, rounded")


def run(options: argparse.Namespace) -> int:
    if options.compact and is_text(options.output):
        options.refuse(f"--compact is a binary form, and {options.output.name} is a name of ARPA")
    model = read_ngram(options.model)
    write_ngram(options.output, model, is_compact=options.compact)
    print(describe(options.output, model))
    return 0
