"""Reorder n-best lists by a recurrent language model.

The model scores each text of a list, its end included; the text with the best sum becomes the
transcript:

  score + W × log-probability of the text + S × number of its words

H.jsonl is what `asr decode --search beam --n-best 16` writes, with the times of all entries' words.
The record H.run.json, if there is one, is copied, with the rescoring and its time added.

Good weights depend on both models: try some on a dev set.

Example:
  asr lm rescore dev.beam.jsonl --model char_lm --lm-weight 0.5 --output dev.rescored.jsonl
Next:
  asr score dev.jsonl dev.rescored.jsonl --output dev.rescored.score.json
"""

import argparse
import dataclasses
import time
from pathlib import Path

from asr.cli.outputs import add_output
from asr.cli.searching import add_threads_argument
from asr.cli.training import use_threads
from asr.errors import counted
from asr.provenance import provenance
from asr.text.markdown import duration
from asr.text.transcript import read_transcripts, write_transcripts
from asr.wer.score_file import read_decoding_record, record_path, write_decoding_record


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "hypotheses", type=Path, metavar="H.jsonl", help="hypotheses with n-best lists"
    )
    parser.add_argument(
        "--model", type=Path, required=True, metavar="DIR", help="a recurrent model's directory"
    )
    parser.add_argument(
        "--lm-weight", type=float, required=True, metavar="W", help="factor of its log-probability"
    )
    parser.add_argument(
        "--word-score", type=float, default=0.0, metavar="S", help="nats per word (default: 0)"
    )
    add_output(parser, "FILE", "hypotheses to write")
    add_threads_argument(parser)


def run(options: argparse.Namespace) -> int:
    """Rescore, write the record and then the hypotheses, and report the changes."""
    from asr.char_lm.language_model import load_language_model
    from asr.char_lm.rescoring import rescore

    use_threads(options.threads)
    model = load_language_model(options.model)
    transcripts = list(read_transcripts(options.hypotheses).values())
    began = time.monotonic()
    rescored = rescore(
        transcripts, model, lm_weight=options.lm_weight, word_score=options.word_score
    )
    seconds = time.monotonic() - began
    options.output.unlink(missing_ok=True)  # never next to another run's record
    _write_record(options, seconds)
    write_transcripts(options.output, rescored)
    pairs = zip(transcripts, rescored, strict=True)
    n_changed = sum(before.text != after.text for before, after in pairs)
    print(
        f"{options.output}: {counted(len(rescored), 'utterance')}, {n_changed:,} with another "
        f"text, in {duration(seconds)}"
    )
    return 0


def _write_record(options: argparse.Namespace, seconds: float) -> None:
    """Record how the hypotheses were made and rescored, if the former is known."""
    record = record_path(options.hypotheses)
    if not record.exists():
        record_path(options.output).unlink(missing_ok=True)
        return
    decoding = read_decoding_record(record)
    weights = f"weight {options.lm_weight:g}, word score {options.word_score:g}"
    made = provenance(options.command)
    write_decoding_record(
        record_path(options.output),
        dataclasses.replace(
            decoding,
            search_kind=None,  # no calibration fits words that were chosen in this way
            search=f"{decoding.search}, rescored by {options.model.name}, {weights}",
            computing_seconds=decoding.computing_seconds + seconds,
            provenance=dataclasses.replace(
                made, command=f"{decoding.provenance.command} && {made.command}"
            ),
        ),
    )
