"""Measure how well a model predicts a text, one segment per line.

Perplexity is the number of equally likely words that the model chooses from on average. The end of
a segment counts as a word, its start does not.

An n-gram model gets the text unchanged. Words outside the vocabulary (OOV) are counted and listed,
and there are two figures: with them, each as probable as <unk>, and without them. Only figures of
models with the same vocabulary can be compared.

A recurrent model (a directory) scores each segment on its own, normalised. It has no vocabulary and
hence no OOV; its figure per character also counts spaces and the ends of segments.

Example:
  asr lm perplexity books.lm dev.txt
"""

import argparse
from pathlib import Path

from tqdm import tqdm

from asr.cli.numbers import add_number
from asr.errors import counted
from asr.lm.files import read_ngram
from asr.lm.perplexity import Perplexity, perplexity
from asr.lm.segments import read_segments
from asr.text.markdown import visible

BEYOND_SENSE = 1e6  # a perplexity of more words than there are


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", type=Path, metavar="MODEL", help="an n-gram or recurrent model")
    parser.add_argument("text", type=Path, nargs="+", metavar="TEXT", help="segments, one a line")
    add_number(parser, "--oov", "list the N most frequent OOV", minimum=0, default=10)


def run(options: argparse.Namespace) -> int:
    if options.model.is_dir():
        print(_recurrent_summary(options.model, options.text))
        return 0
    model = read_ngram(options.model)
    segments = read_segments(options.text)
    with tqdm(segments, desc="scoring", unit="segments", disable=None, leave=False) as bar:
        result = perplexity(model, bar)
    print(_summary(options.model, result))
    if result.n_outside and options.oov:
        frequent = result.outside.most_common(options.oov)
        words = ", ".join(f"{word} ({count:,})" for word, count in frequent)
        print(f"  most frequent OOV: {visible(words)}")
    return 0


def _summary(model: Path, result: Perplexity) -> str:
    share = 100 * result.n_outside / max(result.n_words, 1)
    return (
        f"{model}: perplexity {_short(result.with_outside)}, without OOV "
        f"{_short(result.without_outside)}\n"
        f"  {counted(result.n_segments, 'segment')}, {counted(result.n_words, 'word')}, "
        f"{result.n_outside:,} OOV ({share:.2f} %)"
    )


def _short(number: float) -> str:
    """Write a perplexity to two decimals; one beyond all sense, of an unlikely text, in short."""
    return f"{number:.2f}" if number < BEYOND_SENSE else f"{number:.3g}"


def _recurrent_summary(model: Path, text: list[Path]) -> str:
    from asr.char_lm.language_model import load_language_model

    result = load_language_model(model).perplexity(list(read_segments(text)))
    return (
        f"{model}: perplexity {_short(result.per_word)}, per character {result.per_character:.4f} "
        f"({result.bits_per_character:.4f} bits)\n"
        f"  {counted(result.n_segments, 'segment')}, {counted(result.n_words, 'word')}, "
        f"{counted(result.n_characters, 'character')}"
    )
