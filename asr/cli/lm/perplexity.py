"""`asr lm perplexity`: how well a model predicts a text."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from asr.cli.numbers import at_least

if TYPE_CHECKING:
    from asr.lm.perplexity import Perplexity

HELP = "measure how well a model predicts a text"
DESCRIPTION = """\
Measure how well an n-gram model predicts a text, one segment a line: the number of equally likely
words that it chooses from on average. The end of a segment counts as a word, its start does not.

Words outside the vocabulary (OOV) are counted and named, and there are two figures: with them, each
as probable as <unk>, and without them. Compare only figures of models with the same vocabulary.

example:
  asr lm perplexity books.lm dev.txt
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `asr lm perplexity` takes."""
    parser.add_argument("model", type=Path, metavar="MODEL", help="an n-gram model")
    parser.add_argument("text", type=Path, nargs="+", metavar="TEXT", help="segments, one a line")
    parser.add_argument(
        "--oov",
        type=at_least(0),
        default=10,
        metavar="N",
        help="OOV to name (default: 10)",
    )


def run(options: argparse.Namespace) -> int:
    """Score the text, and print what came of it."""
    from asr.lm.files import read_ngram
    from asr.lm.perplexity import perplexity
    from asr.lm.segments import read_segments

    model = read_ngram(options.model)
    result = perplexity(model, read_segments(options.text))
    print(_summary(options.model, result))
    if result.n_outside and options.oov:
        print(f"  most frequent OOV: {_named(result, options.oov)}")
    return 0


def _summary(model: Path, result: "Perplexity") -> str:
    share = 100 * result.n_outside / max(result.n_words, 1)
    return (
        f"{model}: perplexity {result.with_outside:.2f}, without OOV {result.without_outside:.2f}\n"
        f"  {result.n_segments} segments, {result.n_words} words, "
        f"{result.n_outside} OOV ({share:.2f} %)"
    )


def _named(result: "Perplexity", n: int) -> str:
    return ", ".join(f"{word} ({count})" for word, count in result.outside.most_common(n))
