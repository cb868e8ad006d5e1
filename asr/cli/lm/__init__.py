"""`asr lm`: language models, one file a verb."""

import argparse

VERBS = ("build", "convert", "perplexity")

HELP = "language models: build, convert, measure"
DESCRIPTION = """\
Language models: how probable a word is behind the words before it, learned from text.

A model's file is text or binary by its name: .arpa and .arpa.gz are the ARPA form that all tools
exchange; anything else, say .lm, is a binary file of the same numbers, which opens at once and is
shared between processes.

example:
  asr lm build books.txt.xz --order 3 --prune 1e-8 --output books.lm
  asr lm perplexity books.lm dev.txt
next:
  asr lm VERB --help
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verbs of `asr lm`."""
    from asr.cli import add_verbs

    add_verbs(parser, "asr.cli.lm", VERBS)
