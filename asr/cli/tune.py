"""Find the language model's weight, and the word score, with the fewest errors on a dev set.

The network runs once; its output is kept in --emissions, so that the next language model is tuned
without it. Then every point of a grid is decoded, on every core. Prints the WER at each point;
--picture draws it as an SVG. Settings that are not given are those of asr decode.

Never tune on a test set.

Example:
  asr tune model dev.jsonl --lm 3gram.lm --emissions dev.emissions --picture dev.svg
Next:
  asr decode model test.jsonl --search beam --lm 3gram.lm --lm-weight 0.8 --word-score 0 ...
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from asr.checkpoint.decoding import SearchOptions
from asr.checkpoint.names import weights_hash
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
from asr.corpus.manifest import read_manifest
from asr.corpus.utterance import Utterance
from asr.files import write_text
from asr.provenance import n_cores
from asr.recognizer import Recognizer, load_recognizer
from asr.report.grid import best_point, svg, table
from asr.report.grid_search import Decode, Emission, grid_search
from asr.runtime.emissions import collect_emissions, read_emissions, write_emissions

LM_WEIGHTS = (0.4, 0.6, 0.8, 1.0, 1.2)
WORD_SCORES = (-1.0, 0.0, 1.0, 2.0)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_model_argument(parser)
    parser.add_argument("manifest", type=Path, metavar="MANIFEST", help="the dev set")
    parser.add_argument("--lm", type=Path, metavar="FILE", required=True, help="language model")
    parser.add_argument(
        "--emissions", type=file_to_write, metavar="FILE", help="read if it exists, else written"
    )
    parser.add_argument("--picture", type=file_to_write, metavar="FILE.svg", help="to write")
    for name, values in (("--lm-weights", LM_WEIGHTS), ("--word-scores", WORD_SCORES)):
        help_text = f"to try (default: {' '.join(f'{value:g}' for value in values)})"
        parser.add_argument(
            name, type=float, nargs="+", default=values, metavar="X", help=help_text
        )
    for name in ("--lexicon", "--beam-size", "--unknown-score", "--prior-weight"):
        add_search_option(parser, name)
    add_threads_argument(parser)


def run(options: argparse.Namespace) -> int:
    """Compute or read the emissions, decode the grid, and print the WERs."""
    utterances = read_manifest(options.manifest)
    search = SearchOptions("beam", beam_settings(options), options.lm, options.lexicon)
    recognizer = load_recognizer(options.model, search, n_threads=options.threads)
    normaliser = recognizer.model.config.text.normaliser
    check_omissions(options.manifest, utterances, normaliser)
    points = grid_search(
        _emissions(options, recognizer, utterances),
        utterances,
        _decoder(recognizer),
        (options.lm_weights, options.word_scores),
        normaliser=normaliser,
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


def _decoder(recognizer: Recognizer) -> Callable[[float, float], Decode]:
    """Make beam searches that differ from the recognizer's in their weights alone."""
    searcher = recognizer.searcher
    beam = searcher.plan.beam
    assert beam is not None  # run asks for one

    def decoder(lm_weight: float, word_score: float) -> Decode:
        search = searcher.beam_search(replace(beam, lm_weight=lm_weight, word_score=word_score))

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
