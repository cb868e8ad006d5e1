"""Estimate an n-gram model from text.

It is an interpolated modified Kneser-Ney model, with the same probabilities as KenLM's lmplz.

TEXT has one segment (a sentence, a line of a book) per line, its words separated by spaces and
spelled as the recogniser spells them; .gz, .xz and .bz2 are decompressed. N-grams do not cross
lines, and empty lines are skipped. All n-grams are held in memory: 20 million words take 3 GB for
order 4.

Words: those of --vocabulary, seen or not; or the --n-words most frequent; or all. N-grams with any
other word are left out, and their probability goes to backing off.

Size: --min-counts drops rare n-grams (one number for each order, the last for all longer ones; the
first applies to words only without --vocabulary). --prune drops n-grams that hardly matter: each
would raise the perplexity by less than this fraction. 1e-8 is gentle, 1e-7 makes a small model.

Example:
  asr lm build books.txt.xz --order 4 --vocabulary words.txt --prune 2e-8 --output books.lm
Next:
  asr lm perplexity books.lm dev.txt
"""

import argparse
import math
from pathlib import Path
from typing import Never

from tqdm import tqdm

from asr.cli.lm.sizes import describe
from asr.cli.numbers import add_number, at_least
from asr.cli.outputs import add_output
from asr.lm.counts import check_min_counts, context_probs, count_ngrams, kept_ngrams
from asr.lm.files import write_ngram
from asr.lm.kneser_ney import estimate
from asr.lm.ngram import NGram
from asr.lm.pruning import Values, prune
from asr.lm.segments import read_segments
from asr.lm.text import Text, index_text
from asr.lm.vocabulary import read_vocabulary


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("text", type=Path, nargs="+", metavar="TEXT", help="segments, one a line")
    add_number(parser, "--order", "length of the longest n-grams", required=True)
    add_output(parser, "FILE", "model to write")
    words = parser.add_mutually_exclusive_group()
    words.add_argument("--vocabulary", type=Path, metavar="FILE", help="words to know, one a line")
    words.add_argument(
        "--n-words", type=at_least(1), metavar="N", help="know the N most frequent words"
    )
    parser.add_argument(
        "--min-counts",
        type=at_least(1),
        nargs="+",
        default=[1],
        metavar="N",
        help="least counts of n-grams, for example 1 1 2 2 (default: 1)",
    )
    parser.add_argument(
        "--prune",
        type=_threshold,
        metavar="T",
        help="least relative rise of perplexity, for example 1e-8",
    )


def run(options: argparse.Namespace) -> int:
    """Read, count, estimate, prune and write; print a summary."""
    n_steps = options.order + 3  # read, count each order, prune, write
    with tqdm(desc="building", total=n_steps, unit="steps", disable=None, leave=False) as bar:
        text = _read(options)
        bar.update()
        model, probs = _estimate(text, options, bar)
        if options.prune:
            model = prune(model, options.prune, probs)
        bar.update()
        write_ngram(options.output, model)
    share = 100 * text.n_outside / text.n_words
    print(describe(options.output, model))
    print(
        f"  from {text.n_segments} segments, {text.n_words} words, "
        f"{share:.2f} % outside the vocabulary"
    )
    return 0


def _read(options: argparse.Namespace) -> Text:
    """Read the text and the words to know."""
    check_min_counts(options.min_counts)
    return index_text(
        read_segments(options.text),
        read_vocabulary(options.vocabulary) if options.vocabulary else None,
        n_words=options.n_words,
        min_count=options.min_counts[0],
    )


def _estimate(text: Text, options: argparse.Namespace, bar: "tqdm[Never]") -> tuple[NGram, Values]:
    """Estimate the model, and the context probabilities for pruning; the counts are freed."""
    levels = []
    for level in count_ngrams(text.tokens, text.n_types, options.order):
        levels.append(level)
        bar.update()
    kept = kept_ngrams(levels, len(text.vocabulary), options.min_counts)
    return estimate(levels, kept, text.vocabulary), context_probs(levels, kept)


def _threshold(text: str) -> float:
    """Read a threshold of pruning, for `type=` of an argument."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < 1:
        raise argparse.ArgumentTypeError(f"expected a number between 0 and 1, got {text!r}")
    return number
