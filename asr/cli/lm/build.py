"""Estimate an n-gram model from text.

It is an interpolated modified Kneser-Ney model, with the same probabilities as KenLM's lmplz.

TEXT has one segment (a sentence, a line of a book) per line, its words separated by spaces and
spelled as the recogniser spells them; `-` is standard input, and gzip, xz and bzip2 files are
decompressed. N-grams do not cross lines, and empty lines are skipped. Occurrences are sorted in
a temporary file next to the model, 8 bytes a word; different n-grams are held in memory.

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
from pathlib import Path

from asr.cli.bars import counting_bar
from asr.cli.lm.sizes import describe
from asr.cli.numbers import above_zero, add_number, at_least
from asr.cli.outputs import add_output
from asr.errors import counted
from asr.lm.counts import (
    CountedLevel,
    check_min_counts,
    context_probs,
    count_ngrams,
    kept_ngrams,
)
from asr.lm.files import write_ngram
from asr.lm.kneser_ney import estimate
from asr.lm.pruning import prune
from asr.lm.segments import read_segments
from asr.lm.text import Text, index_text
from asr.lm.vocabulary import read_vocabulary


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("text", type=Path, nargs="+", metavar="TEXT", help="segments, one a line")
    add_number(parser, "--order", "length of the longest n-grams", required=True)
    add_output(parser, "FILE", "model to write")
    words = parser.add_mutually_exclusive_group()
    words.add_argument(
        "--vocabulary",
        type=Path,
        metavar="FILE",
        help="words to know: one a line, or Kaldi's words.txt",
    )
    add_number(words, "--n-words", "know the N most frequent words")
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
        type=above_zero(1),
        metavar="T",
        help="least relative rise of perplexity, for example 1e-8",
    )


def run(options: argparse.Namespace) -> int:
    """Read, count, estimate, prune and write; print a summary."""
    check_min_counts(options.min_counts)
    text = _read(options)
    told = (
        f"  from {counted(text.n_segments, 'segment')}, {counted(text.n_words, 'word')}, "
        f"{100 * text.n_outside / text.n_words:.2f} % outside the vocabulary"
    )
    levels, vocabulary = _count(text, options), text.vocabulary
    del text  # half of the memory so far
    with counting_bar("estimating", "n-grams", scale=True) as advance:
        kept = kept_ngrams(levels, len(vocabulary), options.min_counts)
        n_kept = sum(int(keep.sum()) for keep in kept)
        advance(0, n_kept)
        probs = context_probs(levels, kept)
        model = estimate(levels, kept, vocabulary)
    del kept
    if options.prune:
        with counting_bar("pruning", "n-grams", scale=True) as advance:
            advance(0, n_kept)
            model = prune(model, options.prune, probs)
    write_ngram(options.output, model)
    print(f"{describe(options.output, model)}\n{told}")
    return 0


def _read(options: argparse.Namespace) -> Text:
    """Read the text and the words to know."""
    vocabulary = read_vocabulary(options.vocabulary) if options.vocabulary else None
    files = [path for path in options.text if path.is_file()]
    n_bytes = sum(path.stat().st_size for path in files) if files == options.text else 0
    n_bytes_read = n_words = 0

    def on_bytes(n: int) -> None:
        nonlocal n_bytes_read
        n_bytes_read += n

    def on_words(n: int) -> None:
        nonlocal n_words
        n_words += n
        # a guess: the rest has as many words a byte
        advance(n_words, n_words * n_bytes // n_bytes_read if n_bytes and n_bytes_read else None)

    with counting_bar("reading", "words", scale=True) as advance:
        return index_text(
            read_segments(options.text, on_bytes),
            vocabulary,
            n_words=options.n_words,
            min_count=options.min_counts[0],
            progress=on_words,
        )


def _count(text: Text, options: argparse.Namespace) -> list[CountedLevel]:
    """Count n-grams, in a temporary file next to the model."""
    folder = options.output.parent
    folder.mkdir(parents=True, exist_ok=True)
    n_tokens = 0

    def on_tokens(n: int) -> None:
        nonlocal n_tokens
        n_tokens += n
        advance(n_tokens, (options.order - 1) * len(text.tokens))

    with counting_bar("counting", "words", scale=True) as advance:
        counted = count_ngrams(
            text.tokens, text.n_types, options.order, folder=folder, progress=on_tokens
        )
        return list(counted)
