"""Find the weights of a search with the fewest errors on a dev set.

The network runs once; --emissions keeps its output, so that the next language model is tuned
without it. Then every combination of the weights to try is decoded, on every core. Prints the WER
of each; --picture draws it as an SVG. What is not given is as in the model's default search.

--write makes the best weights those of the model's default search. Confidences depend on them, so
calibrate afterwards.

Never tune on a test set.

Examples:
  asr tune model dev.jsonl --prior-weights 0.1 0.2 0.3 --utterances 600 --write
  asr tune model dev.jsonl --lm 3gram.lm --emissions dev.emissions --picture dev.svg
Next:
  asr calibrate model dev.jsonl
  asr decode model test.jsonl --lm 3gram.lm --lm-weight 0.8 --word-score 0 ...
"""

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
from tqdm import tqdm

from asr.checkpoint.decoding import SEARCH_FILE, SearchOptions, write_settings
from asr.checkpoint.names import model_folder, weights_hash
from asr.checkpoint.seal import changing
from asr.cli.messages import tell
from asr.cli.numbers import add_number
from asr.cli.omitting import check_omissions
from asr.cli.outputs import file_to_write
from asr.cli.recognising import by_duration
from asr.cli.searching import (
    add_model_argument,
    add_search_option,
    add_threads_argument,
    beam_settings,
)
from asr.corpus.loader import recordings_hash
from asr.corpus.manifest import read_manifest_with_texts
from asr.corpus.utterance import Utterance, evenly
from asr.errors import ConfigError
from asr.files import write_text
from asr.provenance import n_cores
from asr.recognizer import Recognizer, load_recognizer
from asr.report.grid import Point, best_point, svg, table
from asr.report.grid_search import Decode, grid_search
from asr.runtime.emissions import Emission, collect_emissions, read_emissions, write_emissions
from asr.search.beam import BeamConfig

# to try, by the option's name; None: that of the default search
_WEIGHTS: Mapping[str, tuple[float, ...] | None] = {
    "--lm-weights": (0.6, 0.8, 1.0, 1.2),
    "--word-scores": None,
    "--prior-weights": None,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_model_argument(parser)
    parser.add_argument("manifest", type=Path, metavar="MANIFEST", help="the dev set")
    add_number(parser, "--utterances", "tune on at most N of them, evenly spread (default: all)")
    parser.add_argument(
        "--emissions",
        type=file_to_write,
        metavar="FILE",
        help="output of the network: read if it exists, else written",
    )
    parser.add_argument(
        "--picture", type=file_to_write, metavar="FILE.svg", help="picture of the WERs to write"
    )
    parser.add_argument(
        "--write",
        action="store_true",
        help="make the best weights those of the model's default search",
    )
    for name, values in _WEIGHTS.items():
        default = " ".join(f"{value:g}" for value in values) if values else "the model's own"
        help_text = f"to try (default: {default})"
        parser.add_argument(
            name, type=float, nargs="+", default=values, metavar="X", help=help_text
        )
    for name in ("--lm", "--lexicon", "--beam-size", "--beam-threshold", "--unknown-score"):
        add_search_option(parser, name)
    add_threads_argument(parser)


def run(options: argparse.Namespace) -> int:
    """Compute or read the emissions, decode the grid, and print the WERs."""
    if options.write and (options.lm or options.lexicon):
        raise ConfigError(
            "--write is for the default search: pack the model with --lm and --lexicon first"
        )
    utterances: Sequence[Utterance] = read_manifest_with_texts(options.manifest)
    if options.utterances:
        utterances = evenly(utterances, options.utterances)
    search = SearchOptions("beam", beam_settings(options), options.lm, options.lexicon)
    recognizer = load_recognizer(options.model, search, n_threads=options.threads)
    beam, lm = recognizer.searcher.plan.beam, recognizer.searcher.plan.lm
    assert beam is not None  # it is asked for
    if lm is None:
        raise ConfigError(f"{options.model} has no language model of its own: give one (--lm)")
    normaliser = recognizer.model.config.text.normaliser
    check_omissions(options.manifest, utterances, normaliser)
    points = _points(options, beam)
    for point in points:  # a weight that cannot be is refused before the work
        recognizer.searcher.beam_search(replace(beam, **point._asdict()))
    wers = grid_search(
        _emissions(options, recognizer, utterances),
        utterances,
        _decoder(recognizer, beam),
        points,
        normaliser=normaliser,
        n_threads=options.threads or n_cores(),
    )
    grid = dict(tqdm(wers, total=len(points), unit="point", disable=None))
    best = best_point(grid)
    print(table(grid), end="")
    print(f"best: {_as_options(best)} (WER {100 * grid[best]:.2f} %)")
    for advice in _edges(points, best):
        tell(advice)
    if options.picture:
        write_text(options.picture, svg(grid, f"WER, {lm.name}"))
    if options.write:
        folder = model_folder(options.model)
        with changing(folder):
            write_settings(folder, replace(beam, **best._asdict()))
        print(f"{folder / SEARCH_FILE}: has these weights now; calibrate again")
    return 0


def _points(options: argparse.Namespace, beam: BeamConfig) -> list[Point]:
    """List the combinations of all weights to try."""
    return [
        Point(*weights)
        for weights in product(
            options.lm_weights,
            options.word_scores or [beam.word_score],
            options.prior_weights or [beam.prior_weight],
        )
    ]


def _edges(points: Sequence[Point], best: Point) -> Iterator[str]:
    """Say which of the best weights is the least or the greatest of several that were tried."""
    for name, value in best._asdict().items():
        tried = {getattr(point, name) for point in points}
        can_be_less = name == "word_score" or value > 0
        if len(tried) > 1 and value == max(tried):
            yield f"{value:g} is the greatest {name} that was tried: try greater ones as well"
        elif len(tried) > 1 and value == min(tried) and can_be_less:
            yield f"{value:g} is the least {name} that was tried: try smaller ones as well"


def _as_options(point: Point) -> str:
    """Write weights as the options of `asr decode`."""
    return " ".join(
        f"--{name.replace('_', '-')} {value:g}" for name, value in point._asdict().items()
    )


def _decoder(recognizer: Recognizer, beam: BeamConfig) -> Callable[[Point], Decode]:
    """Make beam searches that differ from the recognizer's in their weights alone."""
    searcher = recognizer.searcher

    def decoder(point: Point) -> Decode:
        search = searcher.beam_search(replace(beam, **point._asdict()))

        def decode(emission: Emission) -> str:
            ((best, *_),) = search(emission[None], np.array([len(emission)], np.int64))
            return searcher.words.text(best)

        return decode

    return decoder


def _emissions(
    options: argparse.Namespace, recognizer: Recognizer, utterances: Sequence[Utterance]
) -> dict[str, Emission]:
    """Read the emissions if they are stored; else compute them, and store them if asked to."""
    path: Path | None = options.emissions
    computed_by = f"{weights_hash(options.model)}/{recognizer.searcher.head}"
    origin = f"{computed_by} of {recordings_hash(utterances)[:16]}"
    if path and path.exists():
        return read_emissions(path, [utterance.id for utterance in utterances], origin)
    emissions = collect_emissions(recognizer.emit_all(by_duration(utterances)))
    if path:
        write_emissions(path, emissions, origin)
    return emissions
