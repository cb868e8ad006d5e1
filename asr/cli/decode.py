"""Recognise the utterances of a manifest.

Writes the hypotheses in the manifest's order as JSON lines: text, score, words with times and
confidence, n-best. For other tools there are NIST's trn, ctm and stm, Kaldi's text, two columns
(tsv) and NeMo's manifests; asr score reads them all, but asr lm rescore needs JSON lines. A
confidence is the probability that the word is right, if the model is calibrated for this kind of
search (see asr calibrate). Otherwise it is the product of the model's probabilities of the word's
tokens.

H.run.json, next to H.jsonl, is for `asr score`: the model and its configuration's hash, the search,
the command, the machine, and the time that it took. Both appear when all is done.

The search is the model's default (see asr pack), unless you choose another.

A recording that cannot be used is named on stderr with the reason. The others are still written,
but the exit status is 1, which stops a recipe: mend the file, or take its line out of the manifest.
If you score the hypotheses without it, its words count as deleted.

Examples:
  asr decode model dev.jsonl --output dev.default.jsonl
  asr decode model dev.jsonl --search beam --lm 3gram.lm --output dev.3gram.jsonl
Next:
  asr score dev.jsonl dev.3gram.jsonl --output dev.3gram.score.json
"""

import argparse
import json
import time
from pathlib import Path

from asr.cli.outputs import add_output
from asr.cli.recognising import recognise, report_failures
from asr.cli.searching import (
    add_model_argument,
    add_search_arguments,
    add_threads_argument,
    load,
)
from asr.cli.stopping import terminating
from asr.config import config_hash
from asr.corpus.manifest import read_manifest
from asr.corpus.utterance import Utterance
from asr.errors import DataError, counted
from asr.files import write_text
from asr.provenance import provenance
from asr.text.formats import HYPOTHESES
from asr.text.markdown import duration, real_time_factor
from asr.text.transcript import Transcript
from asr.wer.score_file import DecodingRecord, record_path, write_decoding_record


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_model_argument(parser)
    parser.add_argument(
        "manifest", type=Path, metavar="MANIFEST", help="what to recognise (see asr prepare)"
    )
    add_output(parser, "H.jsonl", "hypotheses to write")
    parser.add_argument(
        "--format", choices=(*HYPOTHESES, "nemo"), default="jsonl", help="default: jsonl"
    )
    add_search_arguments(parser)
    add_threads_argument(parser)


def run(options: argparse.Namespace) -> int:
    """Decode, write the record and then the hypotheses, and report the speed."""
    utterances = read_manifest(options.manifest)
    recognizer = load(options)
    options.output.parent.mkdir(parents=True, exist_ok=True)  # not after hours of work
    began = time.monotonic()
    with terminating():
        transcripts = recognise(recognizer, utterances)
    seconds = time.monotonic() - began
    if not transcripts:
        raise DataError(
            f"{options.manifest}: expected a recording that can be used, got none among "
            f"{len(utterances):,}"
        )
    recognised = [(u, transcripts[u.id]) for u in utterances if u.id in transcripts]
    audio_seconds = sum(transcript.duration or 0.0 for _, transcript in recognised)
    config = recognizer.model.config
    record = DecodingRecord(
        model=options.model,
        config_hash=config_hash(config),
        search=str(recognizer.searcher.plan),
        audio_seconds=audio_seconds,
        computing_seconds=seconds,
        provenance=provenance(options.command),
        normaliser=config.text.normaliser,
        search_kind=recognizer.searcher.kind,
        is_calibrated=recognizer.calibration is not None,
        trained_on=str(recognizer.model.trained_on) or None,
    )
    options.output.unlink(missing_ok=True)  # never next to another run's record
    write_decoding_record(record_path(options.output), record)
    if options.format == "nemo":
        lines = [_nemo(*each) for each in recognised]
    else:
        lines = [HYPOTHESES[options.format](transcript) for _, transcript in recognised]
    write_text(options.output, "".join(lines))
    print(
        f"{options.output}: {counted(len(recognised), 'utterance')}, {duration(audio_seconds)} of "
        f"speech in {duration(seconds)} (RTF {real_time_factor(seconds / audio_seconds)})"
    )
    return report_failures(len(utterances), len(recognised))


def _nemo(utterance: Utterance, transcript: Transcript) -> str:
    """Write a line of a manifest; `text` is the reference there."""
    fields = {
        "id": utterance.id,
        "audio_filepath": str(utterance.audio_filepath),
        "offset": utterance.offset,
        "duration": transcript.duration,
        "text": utterance.text,
        "pred_text": transcript.text,
    }
    return json.dumps(fields, ensure_ascii=False) + "\n"
