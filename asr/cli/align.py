"""Find when the words of known texts were said.

The texts are a manifest's; each gets the model's best path through its letters. Half of the
words begin and end within 30 ms of where published alignments of LibriSpeech have them.

ctm and json are one file for all utterances; TextGrid, for Praat, is a file for each, in the folder
--output. An utterance that cannot be aligned is named on stderr with the reason. The others are
still written, but the exit status is 1. Letters, digits and signs that the model's normaliser takes
out of the texts are named, as they get no times.

Examples:
  asr align english dev.jsonl --output dev.ctm
  asr align english dev.jsonl --format TextGrid --output grids
"""

import argparse
from pathlib import Path

from asr.cli.omitting import check_omissions
from asr.cli.recognising import by_duration, collect
from asr.cli.searching import add_model_argument, add_threads_argument
from asr.corpus.manifest import read_manifest
from asr.errors import counted
from asr.files import write_text
from asr.recognizer import load_model
from asr.text.formats import FORMATS
from asr.text.transcript import Transcript


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_model_argument(parser)
    parser.add_argument("manifest", type=Path, metavar="MANIFEST", help="recordings and their text")
    parser.add_argument(
        "--output", type=Path, required=True, metavar="PATH", help="file to write, or folder"
    )
    parser.add_argument(
        "--format", choices=("ctm", "json", "TextGrid"), default="ctm", help="default: ctm"
    )
    add_threads_argument(parser)


def run(options: argparse.Namespace) -> int:
    utterances = read_manifest(options.manifest)
    recognizer = load_model(options.model, search="greedy", n_threads=options.threads)
    check_omissions(options.manifest, utterances, recognizer.model.config.text.normaliser)
    results = recognizer.align_all(by_duration(utterances))
    transcripts = collect(results, len(utterances))
    _write(options, [transcripts[u.id] for u in utterances if u.id in transcripts])
    print(
        f"{options.output}: {len(transcripts):,} of {counted(len(utterances), 'utterance')} aligned"
    )
    return 0 if len(transcripts) == len(utterances) else 1


def _write(options: argparse.Namespace, transcripts: list[Transcript]) -> None:
    """Write all into one file, or each into its own."""
    write, path = FORMATS[options.format], options.output
    if options.format == "TextGrid":
        for transcript in transcripts:
            name = transcript.id.replace("/", "_")
            write_text(path / f"{name}.TextGrid", write(transcript))
    else:
        write_text(path, "".join(map(write, transcripts)))
