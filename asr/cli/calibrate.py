"""`asr calibrate`: a model learns on a dev set what its confidences are worth."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from asr.checkpoint.directory import CALIBRATION_FILE
from asr.cli.decode import record_path
from asr.cli.outputs import file_to_write
from asr.cli.searching import add_model_argument
from asr.confidence.searches import SEARCHES

if TYPE_CHECKING:
    from asr.confidence.judged import JudgedWords
    from asr.confidence.reliability import Reliability
    from asr.config import Config

HELP = "make confidences tell how probably a word is right"
DESCRIPTION = f"""\
Learn on a dev set how probable it is that a recognised word is right, and write that into the
model's folder, as {CALIBRATION_FILE}. From then on `asr transcribe` and `asr decode` give this
probability as a word's confidence.

It depends on the confidence of the search, on the number of letters, and on how long the word
lasts; and on the kind of search, which each file of hypotheses tells by its record H.run.json:

  greedy                one token a frame
  beam, beam-lm         beam search, without and with a language model
  phones, phones-lm     beam search by a lexicon with pronunciations, without and with one

Kinds that are not given keep what the model has of them. A calibration fits recordings of the kind
that it was learnt from: on others, words are less often right than it says.

Printed is, before → after, what the confidences are worth: NCE (normalised cross entropy; at most
1, 0 for knowing nothing about single words, below 0 for misleading), ECE (mean distance between
confidence and share of right words) and AUC (how often a right word has more confidence than a
wrong one). For the figures and the diagram, one half of the speakers is judged by what was learnt
from the other half; the model gets what was learnt from all.

example:
  asr decode model dev.jsonl --search beam --raw-confidence --output dev.beam.jsonl
  asr calibrate model dev.jsonl dev.beam.jsonl --diagram dev.confidence.svg
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `asr calibrate` takes."""
    add_model_argument(parser)
    parser.add_argument("manifest", type=Path, metavar="MANIFEST", help="what was said: a dev set")
    parser.add_argument(
        "hypotheses",
        type=Path,
        nargs="+",
        metavar="H.jsonl",
        help="what was recognised, a file a kind of search",
    )
    parser.add_argument(
        "--search", choices=SEARCHES, help="kind of search of one file that has no record of it"
    )
    parser.add_argument(
        "--diagram", type=file_to_write, metavar="FILE.svg", help="reliability diagram to write"
    )


def run(options: argparse.Namespace) -> int:
    """Judge the words of each file, fit, write what came out, and print what it is worth."""
    from asr.checkpoint.directory import CONFIG_FILE
    from asr.checkpoint.names import model_folder
    from asr.confidence.calibration_file import Fitted, read_calibrations, write_calibrations
    from asr.confidence.fit import fit
    from asr.confidence.reliability import svg, table
    from asr.config import read_config

    if options.search and len(options.hypotheses) > 1:
        options.refuse("--search tells the kind of one file; give one")
    folder = model_folder(options.model)
    config = read_config(folder / CONFIG_FILE)
    calibrations = read_calibrations(folder)
    judged = _judged(options, config)
    for kind, words in judged.items():
        told = f"{len(words)} words, {100 * words.is_right.mean():.1f} % right"
        calibrations[kind] = Fitted(fit(words), f"{options.manifest.stem}: {told}")
    reliabilities = [_reliability(kind, words) for kind, words in judged.items()]
    write_calibrations(folder, calibrations)
    if options.diagram:
        _write(options.diagram, svg(reliabilities))
    print(table(reliabilities), end="")
    print(f"{folder / CALIBRATION_FILE}: {', '.join(judged)}")
    return 0


def _write(path: Path, text: str) -> None:
    """Write a file that appears complete or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.part")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def _judged(options: argparse.Namespace, config: "Config") -> "dict[str, JudgedWords]":
    """Judge the words of each file by the references, by kind of search."""
    from asr.confidence.judged import judge
    from asr.corpus.manifest import read_manifest
    from asr.errors import DataError
    from asr.text.transcript import read_transcripts

    references = read_manifest(options.manifest)
    judged: dict[str, JudgedWords] = {}
    for path, kind in zip(options.hypotheses, _kinds(options, config), strict=True):
        if kind in judged:
            raise DataError(f"{path}: is of the kind {kind} like another file; give one of each")
        try:
            judged[kind] = judge(references, read_transcripts(path), config.text.normaliser)
        except DataError as error:
            raise DataError(f"{path}: {error}") from error
    return judged


def _kinds(options: argparse.Namespace, config: "Config") -> Sequence[str]:
    """Find what kind of search made each file; refuse what would teach the model wrongly."""
    from asr.checkpoint.names import model_folder

    hashes = _hashes(model_folder(options.model), config)
    return [_kind(path, options.search, hashes) for path in options.hypotheses]


def _hashes(folder: Path, config: "Config") -> Sequence[str]:
    """Tell what decoding calls the model: by its phones alone, and with its speller behind them."""
    from asr.checkpoint.directory import CONFIG_FILE
    from asr.config import SpellingConfig, config_hash, read_tree
    from asr.speller import SPELLER_FOLDER

    speller = folder / SPELLER_FOLDER / CONFIG_FILE
    if not speller.exists():
        return [config_hash(config)]
    return [config_hash(config), config_hash(config, read_tree(SpellingConfig, speller))]


def _kind(path: Path, given: str | None, hashes: Sequence[str]) -> str:
    from asr.errors import DataError
    from asr.wer.score_file import read_decoding

    record = record_path(path)
    decoding = read_decoding(record) if record.exists() else None
    if decoding and decoding.config_hash not in hashes:
        raise DataError(
            f"{record}: made by another model, with the configuration "
            f"{decoding.config_hash}; expected {' or '.join(hashes)}"
        )
    if decoding and decoding.is_calibrated:
        raise DataError(f"{path}: is calibrated already; decode with --raw-confidence")
    kind: str | None = decoding.search_kind if decoding else None
    if kind and given and kind != given:
        raise DataError(f"{record}: says that the search was {kind}, not {given}")
    if not kind and not given:
        raise DataError(f"{record} does not tell the kind of search: give --search")
    return kind or given or ""


def _reliability(kind: str, words: "JudgedWords") -> "Reliability":
    """Set confidences beside what was learnt of them from other speakers."""
    from asr.confidence.fit import cross_validated
    from asr.confidence.reliability import Reliability
    from asr.errors import DataError

    after = cross_validated(words)
    if after is None:
        raise DataError(f"{kind}: all words are of one utterance; expected a dev set")
    return Reliability(kind, words.is_right, words.confidences, after)
