"""How to search: the options that `asr transcribe` and `asr decode` share."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from asr.cli.numbers import at_least

if TYPE_CHECKING:
    from asr.checkpoint.decoding import SearchOptions
    from asr.recognizer import Recognizer

HOTWORD_BOOST = 8.0  # nats

# Each option, what it takes, and what --help says; defaults are those of asr.checkpoint.decoding.
_OPTIONS = (
    ("--beam-size", "N", int, "prefixes kept"),
    ("--beam-threshold", "NATS", float, "prefixes this far below the best are dropped"),
    ("--n-best", "N", int, "alternatives to list, in JSON"),
    ("--lm", "FILE", Path, "language model of words, from asr lm"),
    ("--lm-weight", "W", float, "factor of the language model's log probability"),
    ("--word-score", "NATS", float, "added for each word"),
    ("--unknown-score", "NATS", float, "added for each word that the language model lacks"),
    ("--prior-weight", "W", float, "divides out how often each token was trained; 1: altogether"),
    ("--lexicon", "FILE", Path, "the only words there are: one a line, or with pronunciations"),
    ("--hotwords", "FILE", Path, "phrases to expect: one a line; after a tab its boost in nats"),
)


def add_model_argument(parser: argparse.ArgumentParser) -> None:
    """Declare the model that a verb works with."""
    parser.add_argument(
        "model", metavar="MODEL", help="a model's folder, or the name of a shipped one"
    )


def add_search_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the search and its settings."""
    search = parser.add_argument_group(
        "search",
        "Settings that are not given are those of the model's default search (see asr pack); of a "
        "beam search without words: 100 prefixes within 14 nats.",
    )
    search.add_argument(
        "--search",
        choices=("greedy", "beam"),
        help="greedy is fastest; beam sums over many ways to the same text (default: the model's "
        "own search, refined by the settings below; greedy if it has none)",
    )
    for name, metavar, read, told in _OPTIONS:
        search.add_argument(name, type=read, metavar=metavar, help=told)


def add_threads_argument(parser: argparse.ArgumentParser) -> None:
    """Declare the threads that a command may take."""
    parser.add_argument(
        "--threads", type=at_least(1), metavar="N", help="CPU threads (default: as many as cores)"
    )


def read_search(options: argparse.Namespace) -> "SearchOptions":
    """Take the search from the command line; what is not given, the model decides.

    Raises:
        DataError: The file of hotwords cannot be used.
    """
    from asr.checkpoint.decoding import SearchOptions

    names = [name.removeprefix("--").replace("-", "_") for name, *_ in _OPTIONS]
    given = {name: value for name in names if (value := getattr(options, name)) is not None}
    files = {name: given.pop(name, None) for name in ("lm", "lexicon", "hotwords")}
    hotwords: dict[str, float] = {}
    if files["hotwords"]:
        from asr.search.fusion import read_hotwords

        hotwords = read_hotwords(files["hotwords"], HOTWORD_BOOST)
    return SearchOptions(options.search, given, files["lm"], files["lexicon"], hotwords)


def load(options: argparse.Namespace, model: str, *, is_calibrated: bool = True) -> "Recognizer":
    """Load a model with the search and the threads that the command line asks for."""
    from asr.recognizer import load_recognizer

    return load_recognizer(
        model, read_search(options), is_calibrated=is_calibrated, n_threads=options.threads
    )
