"""Find when the words of known texts were said.

The texts are a manifest's; each gets the model's best path through its letters. Half of the
words begin and end within 30 ms of where published alignments of LibriSpeech have them.

ctm and json are one file for all utterances; TextGrid, for Praat, is a file for each, under its id
in the folder --output: that of a/b is a/b.TextGrid. An utterance that cannot be aligned, or whose
file cannot be written, is named on stderr with the reason. The others are still written, but the
exit status is 1. Letters, digits and signs that the model's normaliser takes out of the texts are
named, as they get no times.

Examples:
  asr align english dev.jsonl --output dev.ctm
  asr align english dev.jsonl --format TextGrid --output grids
"""

import argparse
from pathlib import Path

from asr.cli.messages import tell
from asr.cli.omitting import check_omissions
from asr.cli.outputs import file_to_write, folder_to_fill
from asr.cli.recognising import by_duration, collect
from asr.cli.recordings import Failure, inside, numbered
from asr.cli.searching import add_model_argument, add_threads_argument
from asr.corpus.manifest import read_manifest
from asr.errors import DataError, counted
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
    _prepare_output(options)
    utterances = read_manifest(options.manifest)
    recognizer = load_model(options.model, search="greedy", n_threads=options.threads)
    check_omissions(options.manifest, utterances, recognizer.model.config.text.normaliser)
    results = recognizer.align_all(by_duration(utterances))
    aligned = collect(results, len(utterances))
    transcripts = [aligned[u.id] for u in utterances if u.id in aligned]
    n_written = len(transcripts)
    if options.format == "TextGrid":
        n_written = _write_grids(options.output, transcripts)
    else:
        write_text(options.output, "".join(map(FORMATS[options.format], transcripts)))
    print(f"{options.output}: {n_written:,} of {counted(len(utterances), 'utterance')} aligned")
    return 0 if n_written == len(utterances) else 1


def _prepare_output(options: argparse.Namespace) -> None:
    """Refuse what cannot be written to before anything is aligned."""
    has_folder = options.format == "TextGrid"
    try:
        (folder_to_fill if has_folder else file_to_write)(str(options.output))
    except argparse.ArgumentTypeError as error:
        options.refuse(f"argument --output: {error}")
    if has_folder:
        options.output.mkdir(parents=True, exist_ok=True)


def _write_grids(folder: Path, transcripts: list[Transcript]) -> int:
    """Write each into a file of its own; say which cannot be written, and return how many were."""
    names = numbered([inside(transcript.id) for transcript in transcripts])
    n_written = 0
    for transcript, name in zip(transcripts, names, strict=True):
        try:
            write_text(folder / f"{name}.TextGrid", FORMATS["TextGrid"](transcript))
            n_written += 1
        except (DataError, OSError) as error:
            tell(Failure(transcript.id, error).reason)
    return n_written
