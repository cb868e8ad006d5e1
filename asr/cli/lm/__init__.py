"""Language models: how probable a word is after the words before it, learned from text.

A model is ARPA, the text format that all tools exchange, or binary, which opens instantly and is
shared between processes. A file is read as what it contains, and written as what its name says:
.arpa and .arpa.gz are ARPA, anything else, such as .lm, is binary. A recurrent model over
characters is a directory.

Examples:
  asr lm build books.txt.xz --order 3 --prune 1e-8 --output books.lm
  asr lm perplexity books.lm dev.txt
  asr lm train conf/char_lm.toml --text books.txt.xz --dev dev.txt --output char_lm
  asr lm rescore dev.beam.jsonl --model char_lm --lm-weight 0.5 --output dev.rescored.jsonl
Next:
  asr lm VERB --help
"""

import argparse

from asr.cli import add_verbs

VERBS = {
    "build": "estimate an n-gram model from text",
    "convert": "convert a model between ARPA and binary",
    "train": "train a recurrent model over characters",
    "perplexity": "measure how well a model predicts a text",
    "sample": "let a recurrent model continue a text",
    "rescore": "reorder n-best lists by a recurrent model",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_verbs(parser, "asr.cli.lm", VERBS)
