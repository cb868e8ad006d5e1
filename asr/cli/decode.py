"""`asr decode`: a model and a manifest become hypotheses, and a record of how they were made."""

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

from asr.cli.numbers import duration
from asr.cli.outputs import file_to_write
from asr.cli.recognising import recognise, report_failures
from asr.cli.searching import (
    add_model_argument,
    add_search_arguments,
    add_threads_argument,
    load,
)

if TYPE_CHECKING:
    from asr.recognizer import Recognizer
    from asr.wer.score_file import DecodingRecord

HELP = "recognise the utterances of a manifest"
DESCRIPTION = """\
Recognise every utterance of a manifest, and write the hypotheses as JSON lines, in the manifest's
order: text, score, words with times and confidence, n-best. A confidence is the probability that
the word is right, if the model has a calibration of this kind of search (see asr calibrate); else
it is the search's own: the product of what the model gives to the word's tokens.

Beside H.jsonl comes H.run.json, which `asr score` reads: the model and its configuration's hash,
the search, the command, the machine, and the time that it took. Both appear when all is done.

A recording that cannot be used is named on stderr with the reason. The others are still written,
without inventing anything for it, but the exit status is 1, which stops a recipe: mend the file, or
take its line out of the manifest. Scored as they are, its words would count as deleted.

examples:
  asr decode model dev.jsonl --search beam --output dev.beam.jsonl
  asr decode model dev.jsonl --search beam --lm 3gram.lm --output dev.3gram.jsonl
next:
  asr score dev.jsonl dev.beam.jsonl --output dev.beam.score.json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `asr decode` takes."""
    add_model_argument(parser)
    parser.add_argument(
        "manifest", type=Path, metavar="MANIFEST", help="what to recognise (see asr prepare)"
    )
    parser.add_argument(
        "--output", type=file_to_write, required=True, metavar="H.jsonl", help="hypotheses to write"
    )
    add_search_arguments(parser)
    add_threads_argument(parser)
    parser.add_argument(
        "--raw-confidence",
        action="store_true",
        help="write the search's own confidences, as asr calibrate needs them",
    )


def run(options: argparse.Namespace) -> int:
    """Decode, write the record and then the hypotheses, and say how fast it went."""
    from asr.corpus.manifest import read_manifest
    from asr.errors import DataError
    from asr.text.transcript import write_transcripts
    from asr.wer.score_file import write_decoding_record

    utterances = read_manifest(options.manifest)
    recognizer = load(options, options.model, is_calibrated=not options.raw_confidence)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    transcripts = recognise(recognizer, utterances)
    seconds = time.monotonic() - began
    if not transcripts:
        raise DataError(f"{options.manifest}: none of its {len(utterances)} utterances was decoded")
    in_order = [transcripts[u.id] for u in utterances if u.id in transcripts]
    audio_seconds = sum(transcript.duration or 0.0 for transcript in in_order)
    options.output.unlink(missing_ok=True)  # else it would stand beside another run's record
    write_decoding_record(
        record_path(options.output),
        _record(options, recognizer, audio_seconds, seconds),
    )
    write_transcripts(options.output, in_order)
    print(
        f"{options.output}: {len(in_order)} utterances, {duration(audio_seconds)} of speech "
        f"in {duration(seconds)} (RTF {seconds / audio_seconds:.3f})"
    )
    return report_failures(len(utterances), len(in_order))


def record_path(hypotheses: Path) -> Path:
    """Say where the record of how hypotheses were made lies: H.run.json beside H.jsonl."""
    return hypotheses.with_name(f"{hypotheses.name.removesuffix('.jsonl')}.run.json")


def _record(
    options: argparse.Namespace,
    recognizer: "Recognizer",
    audio_seconds: float,
    seconds: float,
) -> "DecodingRecord":
    from asr.config import config_hash
    from asr.provenance import provenance
    from asr.wer.score_file import DecodingRecord

    config = recognizer.model.config
    return DecodingRecord(
        model=options.model,
        config_hash=config_hash(config),
        search=str(recognizer.searcher.plan),
        audio_seconds=audio_seconds,
        computing_seconds=seconds,
        provenance=provenance(options.command),
        normaliser=config.text.normaliser,
        search_kind=recognizer.searcher.kind,
        is_calibrated=recognizer.calibration is not None,
    )
