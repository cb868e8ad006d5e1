"""Turn a model's word confidences into probabilities.

Fits on a dev set the probability that a recognised word is correct, and writes the fit into the
model's folder, as confidence.toml. From then on `asr transcribe` and `asr decode` give this
probability as a word's confidence.

It depends on the raw confidence, on the word's number of letters and duration, and on the kind of
search, which is read from the record H.run.json of each file of hypotheses:

  greedy                one token per frame
  beam, beam-lm         beam search, without and with a language model
  phones, phones-lm     beam search with a pronunciation lexicon, without and with a language model

Kinds without a file keep their calibration. A calibration holds for recordings like those of the
dev set: on harder ones, fewer words are correct than the confidences promise.

Prints the quality of the confidences, before → after: NCE (normalised cross entropy: at most 1; 0
if confidences tell nothing about single words, negative if they mislead), ECE (mean distance
between confidence and share of correct words) and AUC (how often a correct word has a higher
confidence than a wrong one). Figures and diagram are cross-validated: each half of the speakers is
measured with a fit on the other half. The model gets a fit on all.

Example:
  asr decode model dev.jsonl --search plain --raw-confidence --output dev.beam.jsonl
  asr calibrate model dev.jsonl dev.beam.jsonl --diagram dev.confidence.svg
"""

import argparse
from pathlib import Path

from asr.checkpoint.directory import read_directory
from asr.checkpoint.names import model_folder
from asr.checkpoint.seal import changing
from asr.cli.decode import record_path
from asr.cli.omitting import check_omissions
from asr.cli.outputs import file_to_write
from asr.cli.searching import add_model_argument
from asr.confidence.calibration_file import CALIBRATION_FILE, Fitted, write_calibrations
from asr.confidence.fit import cross_validated, fit
from asr.confidence.labels import LabelledWords, label_words
from asr.confidence.reliability import Reliability, svg, table
from asr.confidence.searches import SEARCHES
from asr.config import Config, config_hash
from asr.corpus.manifest import read_manifest
from asr.errors import DataError, counted
from asr.files import write_text
from asr.text.transcript import read_transcripts
from asr.wer.score_file import read_decoding_record


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_model_argument(parser)
    parser.add_argument("manifest", type=Path, metavar="MANIFEST", help="a dev set")
    parser.add_argument(
        "hypotheses",
        type=Path,
        nargs="+",
        metavar="H.jsonl",
        help="its hypotheses, a file per kind of search",
    )
    parser.add_argument(
        "--search", choices=SEARCHES, help="kind of search, for one file without a record"
    )
    parser.add_argument(
        "--diagram", type=file_to_write, metavar="FILE.svg", help="reliability diagram to write"
    )


def run(options: argparse.Namespace) -> int:
    """Label the words of each file, fit, write the calibrations, and print their quality."""
    if options.search and len(options.hypotheses) > 1:
        options.refuse("--search tells the kind of one file; give one")
    folder = model_folder(options.model)
    model = read_directory(folder)
    calibrations = dict(model.calibrations)
    labelled = _labelled(options, model.config)
    for kind, words in labelled.items():
        summary = f"{counted(len(words), 'word')}, {100 * words.is_correct.mean():.1f} % correct"
        calibrations[kind] = Fitted(fit(words), f"{options.manifest.stem}: {summary}")
    reliabilities = [_reliability(kind, words) for kind, words in labelled.items()]
    with changing(folder):
        write_calibrations(folder, calibrations)
    if options.diagram:
        write_text(options.diagram, svg(reliabilities))
    print(table(reliabilities), end="")
    print(f"{folder / CALIBRATION_FILE}: {', '.join(labelled)}")
    return 0


def _labelled(options: argparse.Namespace, config: Config) -> dict[str, LabelledWords]:
    """Label the words of each file by the references, by kind of search."""
    references = read_manifest(options.manifest)
    check_omissions(options.manifest, references, config.text.normaliser)
    labelled: dict[str, LabelledWords] = {}
    kinds = [_kind(path, options.search, config_hash(config)) for path in options.hypotheses]
    for path, kind in zip(options.hypotheses, kinds, strict=True):
        if kind in labelled:
            raise DataError(f"{path}: a second file of the kind {kind}; give one of each")
        try:
            transcripts = read_transcripts(path)
            labelled[kind] = label_words(references, transcripts, config.text.normaliser)
        except DataError as error:
            raise DataError(f"{path}: {error}") from error
    return labelled


def _kind(path: Path, given: str | None, expected_hash: str) -> str:
    """Find the kind of search that made a file; refuse data that would mislead the fit."""
    record, recorded = record_path(path), None
    if record.exists():
        decoding = read_decoding_record(record)
        if decoding.config_hash != expected_hash:
            raise DataError(
                f"{record}: made by another model, with the configuration "
                f"{decoding.config_hash}; expected {expected_hash}"
            )
        if decoding.is_calibrated:
            raise DataError(f"{path}: is calibrated already; decode with --raw-confidence")
        recorded = decoding.search_kind
    if recorded and given and recorded != given:
        raise DataError(f"{record}: the search was {recorded}, not {given}")
    kind = recorded or given
    if not kind:
        raise DataError(f"{record} does not tell the kind of search: give --search")
    return kind


def _reliability(kind: str, words: LabelledWords) -> Reliability:
    """Compare raw confidences with those that a fit on other speakers gives."""
    after = cross_validated(words)
    if after is None:
        raise DataError(f"{kind}: all words are of one speaker or utterance; expected a dev set")
    return Reliability(kind, words.is_correct, words.confidences, after)
