"""How to search: the options that `asr transcribe`, `asr decode` and others share."""

import argparse
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

from asr.checkpoint.decoding import Kind, SearchOptions
from asr.checkpoint.names import DEFAULT_MODEL
from asr.cli.numbers import add_number
from asr.recognizer import Recognizer, load_recognizer
from asr.runtime.windows import LONGEST_WHOLE
from asr.search.beam import BeamConfig

HOTWORD_BOOST = 8.0  # nats

# by name, what an option takes, and its help; defaults are those of asr.checkpoint.decoding
_OPTIONS: Mapping[str, tuple[str, Callable[[str], Any], str]] = {
    "--beam-size": ("N", int, "prefixes kept"),
    "--beam-threshold": ("NATS", float, "prefixes this far below the best are dropped"),
    "--n-best": (
        "N",
        int,
        f"alternatives to list, in JSON; only of recordings of up to {LONGEST_WHOLE:g} s",
    ),
    "--lm": ("FILE", Path, "language model of words, from asr lm build"),
    "--lm-weight": ("W", float, "factor of the language model's log probability"),
    "--word-score": ("NATS", float, "added for each word"),
    "--unknown-score": ("NATS", float, "added for each word that the language model lacks"),
    "--prior-weight": ("W", float, "how far to divide out the tokens' priors; 1: fully"),
    "--lexicon": ("FILE", Path, "words it may find: one a line, or with pronunciations"),
    "--hotwords": ("FILE", Path, "phrases to favour: one a line, or phrase, tab, boost in nats"),
}


def add_model_argument(parser: argparse.ArgumentParser) -> None:
    """Declare the model that a verb works with."""
    parser.add_argument(
        "model", metavar="MODEL", help="a model directory, or the name of a shipped model"
    )


def add_model_option(parser: argparse.ArgumentParser) -> None:
    """Declare the model of a verb that works without naming one."""
    parser.add_argument(
        "--model", default=DEFAULT_MODEL, help="a model's name or directory (default: %(default)s)"
    )


def add_search_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the search and its settings."""
    search = parser.add_argument_group(
        "search",
        "Options modify the model's default search (see asr pack): each replaces one part and\n"
        "leaves the rest. Conflicting options are refused.",
    )
    search.add_argument(
        "--search",
        choices=get_args(Kind),
        help="what to start from instead. greedy: the most probable token in each frame, fastest, "
        "takes no options; plain: a beam search of 100 prefixes within 14 nats, without the "
        "model's words and weights; beam: the default search, or the plain one if that is "
        "greedy",
    )
    for name in _OPTIONS:
        add_search_option(search, name)


def add_search_option(parser: argparse._ActionsContainer, name: str) -> None:
    """Declare one setting of the search, in a group or on its own."""
    metavar, read, help_text = _OPTIONS[name]
    parser.add_argument(name, type=read, metavar=metavar, help=help_text)


def add_threads_argument(parser: argparse.ArgumentParser) -> None:
    """Declare the threads that a command may take."""
    add_number(parser, "--threads", "CPU threads (default: as many as cores)")


def read_search(options: argparse.Namespace) -> SearchOptions:
    """Take the search from the command line; the model decides what is not given.

    Raises:
        DataError: The file of hotwords cannot be used.
    """
    hotwords: dict[str, float] = {}
    if options.hotwords:
        from asr.search.fusion import read_hotwords  # slow to import, and rarely needed

        hotwords = read_hotwords(options.hotwords, HOTWORD_BOOST)
    return SearchOptions(
        options.search, beam_settings(options), options.lm, options.lexicon, hotwords
    )


def beam_settings(options: argparse.Namespace) -> dict[str, float]:
    """Take the settings of a beam search that are given on the command line."""
    names = [field.name for field in fields(BeamConfig)]
    return {name: value for name in names if (value := getattr(options, name, None)) is not None}


def load(options: argparse.Namespace) -> Recognizer:
    """Load the model with the search and the threads that the command line asks for."""
    return load_recognizer(options.model, read_search(options), n_threads=options.threads)
