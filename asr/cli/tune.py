"""`asr tune`: find the weights of a language model on a dev set."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from asr.cli.numbers import at_least
from asr.cli.outputs import file_to_write
from asr.cli.searching import add_model_argument, add_threads_argument

if TYPE_CHECKING:
    from asr.corpus.utterance import Utterance
    from asr.recognizer import Recognizer
    from asr.report.grid_search import Decode, Emission

HELP = "find the language model's weight on a dev set"
DESCRIPTION = """\
Find the lm_weight and the word_score with which a beam search makes the fewest errors on a dev set.

The network runs once; its output is kept in --emissions, so that the next language model is tuned
without it. Then every point of a grid is decoded, on every core. Prints the WER at each point;
--picture draws it as an SVG. Settings that are not given are those of asr decode.

Never tune on a test set.

example:
  asr tune model dev.jsonl --lm 3gram.lm --emissions dev.emissions --picture dev.svg
next:
  asr decode model test.jsonl --search beam --lm 3gram.lm --lm-weight 0.8 --word-score 0 ...
"""

LM_WEIGHTS = (0.4, 0.6, 0.8, 1.0, 1.2)
WORD_SCORES = (-1.0, 0.0, 1.0, 2.0)

_SETTINGS = (
    ("--beam-size", "N", at_least(1), "prefixes kept"),
    ("--unknown-score", "NATS", float, "added for each word that the language model lacks"),
    ("--prior-weight", "W", float, "divides out how often each token was trained"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `asr tune` takes."""
    add_model_argument(parser)
    parser.add_argument("manifest", type=Path, metavar="MANIFEST", help="the dev set")
    parser.add_argument("--lm", type=Path, metavar="FILE", required=True, help="language model")
    parser.add_argument(
        "--lexicon", type=Path, metavar="FILE", help="the only words that can be recognised"
    )
    parser.add_argument(
        "--emissions", type=file_to_write, metavar="FILE", help="read if it exists, else written"
    )
    parser.add_argument("--picture", type=file_to_write, metavar="FILE.svg", help="to write")
    for name, values in (("--lm-weights", LM_WEIGHTS), ("--word-scores", WORD_SCORES)):
        help_text = f"to try (default: {' '.join(f'{value:g}' for value in values)})"
        parser.add_argument(
            name, type=float, nargs="+", default=values, metavar="X", help=help_text
        )
    for name, metavar, read, help_text in _SETTINGS:
        parser.add_argument(name, type=read, metavar=metavar, help=help_text)
    add_threads_argument(parser)


def run(options: argparse.Namespace) -> int:
    """Compute or read the emissions, decode the grid, and print the WERs."""
    from tqdm import tqdm

    from asr.corpus.manifest import read_manifest
    from asr.files import write_text
    from asr.provenance import n_cores
    from asr.report.grid import best_point, svg, table
    from asr.report.grid_search import grid_search

    utterances = read_manifest(options.manifest)
    recognizer = _load(options)
    points = grid_search(
        _emissions(options, recognizer, utterances),
        utterances,
        _decoder(recognizer),
        (options.lm_weights, options.word_scores),
        normaliser=recognizer.model.config.text.normaliser,
        n_threads=options.threads or n_cores(),
    )
    n_points = len(options.lm_weights) * len(options.word_scores)
    grid = dict(tqdm(points, total=n_points, unit="point", disable=None))
    print(table(grid), end="")
    lm_weight, word_score = best_point(grid)
    wer = 100 * grid[lm_weight, word_score]
    print(f"best: --lm-weight {lm_weight:g} --word-score {word_score:g} (WER {wer:.2f} %)")
    if options.picture:
        write_text(options.picture, svg(grid, f"WER, {options.lm.name}"))
    return 0


def _load(options: argparse.Namespace) -> "Recognizer":
    """Load the model with the search that `asr decode` gives it."""
    from asr.checkpoint.decoding import SearchOptions
    from asr.recognizer import load_recognizer

    names = [name.removeprefix("--").replace("-", "_") for name, *_ in _SETTINGS]
    given = {name: value for name in names if (value := getattr(options, name)) is not None}
    search = SearchOptions("beam", given, options.lm, options.lexicon)
    return load_recognizer(options.model, search, n_threads=options.threads)


def _decoder(recognizer: "Recognizer") -> "Callable[[float, float], Decode]":
    """Make beam searches that differ from the recognizer's in their weights alone."""
    from dataclasses import replace

    import numpy as np

    searcher = recognizer.searcher
    beam = searcher.plan.beam
    assert beam is not None  # asked for by _load

    def decoder(lm_weight: float, word_score: float) -> "Decode":
        search = searcher.beam_search(replace(beam, lm_weight=lm_weight, word_score=word_score))

        def decode(emission: "Emission") -> str:
            ((best, *_),) = search(emission[None], np.array([len(emission)], np.int64))
            text: str = searcher.words.text(best)
            return text

        return decode

    return decoder


def _emissions(
    options: argparse.Namespace, recognizer: "Recognizer", utterances: "Sequence[Utterance]"
) -> "dict[str, Emission]":
    """Read the emissions if they are stored; else compute them, and store them if asked to."""
    from asr.checkpoint.names import weights_hash
    from asr.runtime.emissions import collect_emissions, read_emissions, write_emissions

    path: Path | None = options.emissions
    origin = f"{weights_hash(options.model)}/{recognizer.searcher.head}"
    if path and path.exists():
        return read_emissions(path, [utterance.id for utterance in utterances], origin)
    by_length = sorted(utterances, key=lambda utterance: utterance.duration or 0.0)
    emissions = collect_emissions(recognizer.emit_all(by_length))
    if path:
        write_emissions(path, emissions, origin)
    return emissions
