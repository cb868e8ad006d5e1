"""How to search: the options that `asr transcribe` and `asr decode` share."""

import argparse
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from asr.cli.numbers import at_least

if TYPE_CHECKING:
    from asr.recognizer import Recognizer
    from asr.search.beam import BeamConfig

BEAM_SIZE = 100
BEAM_THRESHOLD = 14.0  # nats
LM_WEIGHT = 0.8  # the next three: `asr tune` finds what fits a model
WORD_SCORE = 0.0
UNKNOWN_SCORE = -15.0
HOTWORD_BOOST = 8.0

_OPTIONS = (
    ("--beam-size", "N", int, f"prefixes kept (default: {BEAM_SIZE})"),
    (
        "--beam-threshold",
        "NATS",
        float,
        f"prefixes this far below the best are dropped (default: {BEAM_THRESHOLD:g})",
    ),
    ("--n-best", "N", int, "alternatives to list, in JSON (default: 1)"),
    ("--lm", "FILE", Path, "language model of words, from asr lm"),
    ("--lm-weight", "W", float, f"factor of the model's log probability (default: {LM_WEIGHT:g})"),
    (
        "--word-score",
        "NATS",
        float,
        f"added for each word (default: {WORD_SCORE:g} with a language model, else 0)",
    ),
    (
        "--unknown-score",
        "NATS",
        float,
        f"added for each word that the model lacks (default: {UNKNOWN_SCORE:g})",
    ),
    (
        "--prior-weight",
        "W",
        float,
        "takes out how often each token was said in training; 1: altogether (default: 0)",
    ),
    ("--lexicon", "FILE", Path, "the only words there are: one a line, or with pronunciations"),
    ("--hotwords", "FILE", Path, "phrases to expect: one a line; behind a tab its boost in nats"),
)


@dataclass(frozen=True, slots=True)
class Searching:
    """How to search, as the command line says it.

    Attributes:
        beam: Settings of the beam search; None searches greedily.
        lm: File of the language model.
        lexicon: File of the words.
        hotwords: Phrases and their boosts.
        hotwords_file: Where they come from.
    """

    beam: "BeamConfig | None" = None
    lm: Path | None = None
    lexicon: Path | None = None
    hotwords: dict[str, float] = field(default_factory=dict)
    hotwords_file: Path | None = None

    def load(self, model: str, *, is_calibrated: bool = True) -> "Recognizer":
        """Load a model that searches in this way, with its calibration of it or without."""
        from asr.recognizer import load_model

        return load_model(
            model,
            beam=self.beam,
            lm=self.lm,
            lexicon=self.lexicon,
            hotwords=self.hotwords,
            is_greedy=self.beam is None,
            is_calibrated=is_calibrated,
        )

    def describe(self, recognizer: "Recognizer") -> str:
        """Say in a few words how a model that was loaded so makes its text, for tables."""
        return f"{self}, with a speller" if recognizer.speller else str(self)

    def __str__(self) -> str:
        """Say in a few words how it was searched."""
        if self.beam is None:
            return "greedy"
        parts = [f"beam {self.beam.beam_size}", f"threshold {self.beam.beam_threshold:g}"]
        if self.lexicon:
            parts.append(f"words of {self.lexicon.name}")
        if self.lm:
            parts.append(f"{self.lm.name} × {self.beam.lm_weight:g}")
        if self.beam.word_score:
            parts.append(f"word score {self.beam.word_score:g}")
        if self.lm and self.beam.unknown_score:
            parts.append(f"unknown score {self.beam.unknown_score:g}")
        if self.beam.prior_weight:
            parts.append(f"prior × {self.beam.prior_weight:g}")
        if self.hotwords_file:
            parts.append(f"{len(self.hotwords)} hotwords of {self.hotwords_file.name}")
        return ", ".join(parts)


def add_model_argument(parser: argparse.ArgumentParser) -> None:
    """Declare the model that a verb works with."""
    parser.add_argument(
        "model", metavar="MODEL", help="a model's folder, or the name of a shipped one"
    )


def add_search_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the search and its settings."""
    search = parser.add_argument_group("search")
    search.add_argument(
        "--search",
        choices=("greedy", "beam"),
        help="greedy is fastest; beam weighs many ways to the same text (default: the one that the "
        "model comes with, of which the settings below can change some; else greedy)",
    )
    for name, metavar, read, told in _OPTIONS:
        search.add_argument(name, type=read, metavar=metavar, help=told)


def add_threads_argument(parser: argparse.ArgumentParser) -> None:
    """Declare the threads that a command may take."""
    parser.add_argument(
        "--threads", type=at_least(1), metavar="N", help="CPU threads (default: as many as cores)"
    )


def read_search(options: argparse.Namespace, model: str) -> Searching:
    """Take the search from the command line, and what is not said there from the model's own.

    Raises:
        ModelError: There is no such model.
        ConfigError: A value is out of its range.
        DataError: The file of hotwords cannot be used.
        SystemExit: Settings of the beam were given without `--search beam`.
    """
    from asr.checkpoint.decoding import read_own_search
    from asr.checkpoint.names import model_folder
    from asr.search.beam import BeamConfig

    names = [name.removeprefix("--").replace("-", "_") for name, *_ in _OPTIONS]
    given = {name: value for name in names if (value := getattr(options, name)) is not None}
    own = None if options.search else read_own_search(model_folder(model))
    if options.search != "beam" and not own:
        for name in given:
            options.refuse(f"--{name.replace('_', '-')} is a setting of --search beam")
        return Searching()
    files = {name: given.pop(name, None) for name in ("lm", "lexicon", "hotwords")}
    defaults: dict[str, float] = {
        "beam_size": BEAM_SIZE,
        "beam_threshold": BEAM_THRESHOLD,
        "n_best": 1,
    }
    if own:
        defaults = asdict(own.beam)
        files["lm"] = files["lm"] or own.lm
        files["lexicon"] = files["lexicon"] or own.lexicon
    elif files["lm"]:
        defaults |= {
            "lm_weight": LM_WEIGHT,
            "word_score": WORD_SCORE,
            "unknown_score": UNKNOWN_SCORE,
        }
    else:
        for name in {"lm_weight", "unknown_score"} & given.keys():
            options.refuse(f"--{name.replace('_', '-')} is a setting of --lm")
    hotwords = {}
    if files["hotwords"]:
        from asr.search.fusion import read_hotwords

        hotwords = read_hotwords(files["hotwords"], HOTWORD_BOOST)
    beam = BeamConfig(**{**defaults, **given})
    return Searching(beam, files["lm"], files["lexicon"], hotwords, files["hotwords"])


def use_threads(n_threads: int | None) -> None:
    """Give torch so many threads; None leaves it as many as it finds cores."""
    import torch

    if n_threads is not None:
        torch.set_num_threads(n_threads)
