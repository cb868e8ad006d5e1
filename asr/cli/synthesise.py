"""Make a tiny corpus of speech-like sounds in LibriSpeech's layout.

Every letter has a sound of its own, and speakers differ in pitch and in the length of their vocal
tract. A small model learns it in a minute, which shows that everything from audio to WER works, and
nothing about speech.

The same options make the same corpus; another seed makes other speakers.

Example:
  asr synthesise tiny --utterances 4 --speakers 2 --seed 1
Next:
  asr prepare tiny --output tiny.jsonl
"""

import argparse
from pathlib import Path

from asr.cli.numbers import add_number
from asr.cli.outputs import folder_to_make
from asr.corpus.tiny import write_tiny_corpus
from asr.errors import DataError, counted
from asr.files import replacing_folder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=folder_to_make, metavar="FOLDER", help="folder to make")
    add_number(parser, "--utterances", "number of utterances", required=True)
    add_number(parser, "--speakers", "number of speakers", required=True)
    add_number(parser, "--seed", "random seed", minimum=0, default=1)


def run(options: argparse.Namespace) -> int:
    folder: Path = options.folder
    if folder.exists():
        raise DataError(f"{folder}: exists; name a new folder")
    with replacing_folder(folder) as made:
        write_tiny_corpus(made, options.utterances, options.speakers, options.seed)
    print(f"{folder}: {counted(options.utterances, 'utterance')}")
    return 0
