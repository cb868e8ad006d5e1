"""`asr align`: when each word of a known text was said."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from asr.cli.searching import add_model_argument, add_threads_argument
from asr.text.formats import FORMATS

if TYPE_CHECKING:
    from asr.text.transcript import Transcript

HELP = "find when the words of known texts were said"
DESCRIPTION = """\
Find when each word of a manifest's texts was said: the best path of the model through the text.

A word lasts from the frame of its first token to the end of that of its last. A model of the CTC
kind says a token in one frame out of several, so that the ends of words come early.

ctm and json hold all utterances in one file; TextGrid, for Praat, is a file an utterance, in the
folder --output. An utterance that cannot be aligned is named on stderr with the reason; the others
are written all the same, and the exit status is 1.

example:
  asr align mini_librispeech dev.jsonl --output dev.ctm
  asr align mini_librispeech dev.jsonl --format TextGrid --output grids
"""

KINDS = ("ctm", "json", "TextGrid")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `asr align` takes."""
    add_model_argument(parser)
    parser.add_argument("manifest", type=Path, metavar="MANIFEST", help="audio and its text")
    parser.add_argument(
        "--output", type=Path, required=True, metavar="PATH", help="file to write, or folder"
    )
    parser.add_argument("--format", choices=KINDS, default="ctm", help="default: ctm")
    add_threads_argument(parser)


def run(options: argparse.Namespace) -> int:
    """Align every utterance that can be, and name those that cannot."""
    from tqdm import tqdm

    from asr.corpus.manifest import read_manifest
    from asr.errors import AsrError
    from asr.recognizer import load_model

    utterances = read_manifest(options.manifest)
    recognizer = load_model(options.model, is_greedy=True, n_threads=options.threads)
    by_length = sorted(utterances, key=lambda utterance: utterance.duration or 0.0)
    transcripts: dict[str, Transcript] = {}
    results = recognizer.align_all(by_length)
    for utterance, result in tqdm(results, total=len(utterances), unit="utt", disable=None):
        if isinstance(result, AsrError):
            tqdm.write(f"asr: {utterance.id}: {result}", file=sys.stderr)
        else:
            transcripts[utterance.id] = result
    _write(options, [transcripts[u.id] for u in utterances if u.id in transcripts])
    print(f"{options.output}: {len(transcripts)} of {len(utterances)} utterances aligned")
    return 0 if len(transcripts) == len(utterances) else 1


def _write(options: argparse.Namespace, transcripts: "list[Transcript]") -> None:
    """Write all into one file, or each into its own."""
    write, path = FORMATS[options.format], options.output
    if options.format == "TextGrid":
        path.mkdir(parents=True, exist_ok=True)
        for transcript in transcripts:
            name = transcript.id.replace("/", "_")
            (path / f"{name}.TextGrid").write_text(write(transcript), encoding="utf-8")
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(map(write, transcripts)), encoding="utf-8")
