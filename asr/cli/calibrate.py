"""Turn a model's word confidences into probabilities.

Recognises a dev set, fits the probability that a recognised word is correct, and writes the fit
into the model's folder, as confidence.toml. From then on `asr transcribe` and `asr decode` give
this probability as a word's confidence.

It depends on the search's own confidence, on the word's number of letters and duration, and on the
kind of search:

  greedy                one token per frame
  beam, beam-lm         beam search, without and with a language model
  phones, phones-lm     beam search with a pronunciation lexicon, without and with a language model

Without search options, the model's own search, the plain and the greedy one are calibrated; with
them, only the search that they ask for. Other kinds keep their calibration. A calibration holds for
recordings like those of the dev set: on harder ones, fewer words are correct than the confidences
promise.

Prints the quality of the confidences, before → after: NCE (normalised cross entropy: at most 1; 0
if confidences tell nothing about single words, negative if they mislead), ECE (mean distance
between confidence and share of correct words) and AUC (how often a correct word has a higher
confidence than a wrong one). Figures and diagram are cross-validated: each half of the speakers (of
the utterances, if there is one speaker or some are unknown) is measured with a fit on the other
half. The model gets a fit on all.

Examples:
  asr calibrate model dev.jsonl --diagram confidence.svg
  asr calibrate model dev.jsonl --search plain --lm 3gram.lm
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

from asr.checkpoint.decoding import SearchOptions
from asr.checkpoint.directory import read_directory
from asr.checkpoint.names import model_folder
from asr.checkpoint.seal import changing
from asr.cli.messages import tell
from asr.cli.omitting import check_omissions
from asr.cli.outputs import file_to_write
from asr.cli.recognising import recognise, report_failures
from asr.cli.searching import (
    add_model_argument,
    add_search_arguments,
    add_threads_argument,
    read_search,
)
from asr.cli.stopping import terminating
from asr.confidence.calibration_file import CALIBRATION_FILE, Fitted, write_calibrations
from asr.confidence.fit import cross_validated, fit
from asr.confidence.labels import LabelledWords, label_words
from asr.confidence.reliability import Reliability, svg, table
from asr.corpus.manifest import read_manifest_with_texts
from asr.corpus.utterance import Utterance
from asr.errors import DataError, counted
from asr.files import write_text
from asr.recognizer import Recognizer, load_recognizer
from asr.text.transcript import Transcript


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_model_argument(parser)
    parser.add_argument("manifest", type=Path, metavar="MANIFEST", help="a dev set")
    parser.add_argument(
        "--diagram", type=file_to_write, metavar="FILE.svg", help="reliability diagram to write"
    )
    add_search_arguments(parser)
    add_threads_argument(parser)


def run(options: argparse.Namespace) -> int:
    """Recognise, label the words, fit, write the calibrations, and print their quality."""
    folder = model_folder(options.model)
    model = read_directory(folder)
    normaliser = model.config.text.normaliser
    utterances = read_manifest_with_texts(options.manifest)
    check_omissions(options.manifest, utterances, normaliser)
    calibrations = dict(model.calibrations)
    reliabilities, n_recognised = [], len(utterances)
    for recognizer in _recognizers(options):
        kind = recognizer.searcher.kind
        transcripts = _recognise(recognizer, utterances)
        n_recognised = min(n_recognised, len(transcripts))
        try:
            words = label_words(utterances, transcripts, normaliser)
            reliabilities.append(_reliability(kind, words))
        except DataError as error:  # a network that has learned little may give one search no words
            tell(f"{kind} is not calibrated: {error}")
            continue
        summary = f"{counted(len(words), 'word')}, {100 * words.is_correct.mean():.1f} % correct"
        calibrations[kind] = Fitted(fit(words), f"{options.manifest.stem}: {summary}")
    if not reliabilities:
        raise DataError(f"{options.manifest}: no search could be calibrated on it")
    with changing(folder):
        write_calibrations(folder, calibrations)
    if options.diagram:
        write_text(options.diagram, svg(reliabilities))
    print(table(reliabilities), end="")
    print(f"{folder / CALIBRATION_FILE}: {', '.join(each.search for each in reliabilities)}")
    return report_failures(len(utterances), n_recognised)


def _recognizers(options: argparse.Namespace) -> Iterator[Recognizer]:
    """Load the model with each search to calibrate, one of each kind."""
    asked = read_search(options)
    searches = [asked]
    if asked == SearchOptions():
        searches += [SearchOptions("plain"), SearchOptions("greedy")]
    kinds: set[str] = set()
    for search in searches:
        recognizer = load_recognizer(
            options.model, search, is_calibrated=False, n_threads=options.threads
        )
        if recognizer.searcher.kind not in kinds:
            kinds.add(recognizer.searcher.kind)
            yield recognizer


def _recognise(recognizer: Recognizer, utterances: Sequence[Utterance]) -> dict[str, Transcript]:
    """Recognise the dev set, and say by which search."""
    tell(f"{recognizer.searcher.kind}: {recognizer.searcher.plan}")
    with terminating():
        return recognise(recognizer, utterances)


def _reliability(kind: str, words: LabelledWords) -> Reliability:
    """Compare raw confidences with those that a fit on other speakers gives."""
    after = cross_validated(words)
    if after is None:
        raise DataError("all words are of one speaker or utterance; expected a dev set")
    return Reliability(kind, words.is_correct, words.confidences, after)
