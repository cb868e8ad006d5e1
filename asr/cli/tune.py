"""`asr tune`: the weights of a language model that make the fewest errors on a dev set."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from asr.cli.numbers import at_least
from asr.cli.outputs import file_to_write
from asr.cli.searching import (
    BEAM_SIZE,
    BEAM_THRESHOLD,
    UNKNOWN_SCORE,
    add_model_argument,
    use_threads,
)

if TYPE_CHECKING:
    from torch import Tensor

    from asr.corpus.utterance import Utterance
    from asr.recognizer import Recognizer

HELP = "find the language model's weight on a dev set"
DESCRIPTION = """\
Find the lm_weight and the word_score with which a beam search makes the fewest errors on a dev set.

The acoustic model computes once; what it says of every utterance is kept in --emissions, so that
the next language model is tuned without it. Then every point of a grid is decoded, on every core.
Printed is the WER at each point; --picture writes the same as an SVG.

Tune on what you do not test on.

example:
  asr tune model dev.jsonl --lm 3gram.lm --emissions dev.emissions --picture dev.svg
next:
  asr decode model test.jsonl --search beam --lm 3gram.lm --lm-weight 0.8 --word-score 0 ...
"""

LM_WEIGHTS = (0.4, 0.6, 0.8, 1.0, 1.2)
WORD_SCORES = (-1.0, 0.0, 1.0, 2.0)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `asr tune` takes."""
    add_model_argument(parser)
    parser.add_argument("manifest", type=Path, metavar="MANIFEST", help="the dev set")
    parser.add_argument("--lm", type=Path, metavar="FILE", required=True, help="language model")
    parser.add_argument("--lexicon", type=Path, metavar="FILE", help="the only words there are")
    parser.add_argument(
        "--emissions", type=file_to_write, metavar="FILE", help="kept there; made if missing"
    )
    parser.add_argument("--picture", type=file_to_write, metavar="FILE.svg", help="to write")
    for name, values in (("--lm-weights", LM_WEIGHTS), ("--word-scores", WORD_SCORES)):
        told = f"to try (default: {' '.join(f'{value:g}' for value in values)})"
        parser.add_argument(name, type=float, nargs="+", default=values, metavar="X", help=told)
    parser.add_argument(
        "--beam-size", type=at_least(1), default=BEAM_SIZE, metavar="N", help="prefixes kept"
    )
    parser.add_argument(
        "--unknown-score", type=float, default=UNKNOWN_SCORE, metavar="NATS", help="see asr decode"
    )
    parser.add_argument(
        "--prior-weight", type=float, default=0.0, metavar="W", help="see asr decode (default: 0)"
    )
    parser.add_argument("--threads", type=at_least(1), metavar="N", help="CPU threads")


def run(options: argparse.Namespace) -> int:
    """Compute or read the emissions, decode the grid, and print what came out."""
    from tqdm import tqdm

    from asr.corpus.manifest import read_manifest
    from asr.recognizer import load_model
    from asr.report.grid import best_point, svg, table
    from asr.report.grid_search import tune
    from asr.search.beam import BeamConfig

    use_threads(options.threads)
    utterances = read_manifest(options.manifest)
    beam = BeamConfig(
        options.beam_size,
        BEAM_THRESHOLD,
        1,
        unknown_score=options.unknown_score,
        prior_weight=options.prior_weight,
    )
    recognizer = load_model(options.model, beam=beam, lm=options.lm, lexicon=options.lexicon)
    emissions = _emissions(options, recognizer, utterances)
    points = tune(recognizer, emissions, utterances, options.lm_weights, options.word_scores)
    n_points = len(options.lm_weights) * len(options.word_scores)
    surface = dict(tqdm(points, total=n_points, unit="point", disable=None))
    print(table(surface), end="")
    lm_weight, word_score = best_point(surface)
    wer = 100 * surface[lm_weight, word_score]
    print(f"best: --lm-weight {lm_weight:g} --word-score {word_score:g} (WER {wer:.2f} %)")
    if options.picture:
        options.picture.write_text(svg(surface, f"WER, {options.lm.name}"), encoding="utf-8")
    return 0


def _emissions(
    options: argparse.Namespace, recognizer: "Recognizer", utterances: "Sequence[Utterance]"
) -> "dict[str, Tensor]":
    """Read the emissions if they are stored, else compute them, and store them if asked to."""
    from asr.checkpoint.names import weights_hash
    from asr.report.grid_search import compute_emissions, read_emissions, write_emissions

    path: Path | None = options.emissions
    model = weights_hash(options.model)
    if path and path.exists():
        return read_emissions(path, [utterance.id for utterance in utterances], model)
    by_length = sorted(utterances, key=lambda utterance: utterance.duration or 0.0)
    emissions = compute_emissions(recognizer, by_length)
    if path:
        write_emissions(path, emissions, model)
    return emissions
