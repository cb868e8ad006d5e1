"""`asr lm rescore`: n-best lists are reordered by a recurrent model."""

import argparse
import dataclasses
import time
from pathlib import Path

from asr.cli.numbers import at_least, duration
from asr.cli.outputs import file_to_write

HELP = "reorder n-best lists by a recurrent model"
DESCRIPTION = """\
Add the scores of a recurrent language model to those of n-best lists, and make the best entry of
each list the transcript:

  score + W × log-probability of the text + S × number of its words

H.jsonl is what `asr decode --search beam --n-best 16` writes, with the times of all entries' words.
Each text is scored alone, its end included. The record H.run.json, if there is one, is copied, with
the rescoring and its time added.

Good weights depend on both models: try some on a dev set.

example:
  asr lm rescore dev.beam.jsonl --model char_lm --lm-weight 0.5 --output dev.rescored.jsonl
next:
  asr score dev.jsonl dev.rescored.jsonl --output dev.rescored.score.json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `asr lm rescore` takes."""
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
    parser.add_argument(
        "--output", type=file_to_write, required=True, metavar="FILE", help="hypotheses to write"
    )
    parser.add_argument(
        "--threads", type=at_least(1), metavar="N", help="CPU threads (default: as many as cores)"
    )


def run(options: argparse.Namespace) -> int:
    """Rescore, write the record and then the hypotheses, and report the changes."""
    from asr.char_lm.language_model import load_language_model
    from asr.char_lm.rescoring import rescore
    from asr.cli.training import use_threads
    from asr.text.transcript import read_transcripts, write_transcripts

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
        f"{options.output}: {len(rescored)} utterances, {n_changed} with another text, "
        f"in {duration(seconds)}"
    )
    return 0


def _write_record(options: argparse.Namespace, seconds: float) -> None:
    """Record how the hypotheses were made and rescored, if the former is known."""
    from asr.cli.decode import record_path
    from asr.provenance import provenance
    from asr.wer.score_file import read_decoding_record, write_decoding_record

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
