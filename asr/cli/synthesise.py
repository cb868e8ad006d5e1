"""`asr synthesise`: make a tiny corpus from nothing, to test the whole chain."""

import argparse
from pathlib import Path

from asr.cli.numbers import at_least
from asr.cli.outputs import folder_to_make

HELP = "make a tiny corpus of speech-like sounds"
DESCRIPTION = """\
Make a tiny corpus of speech-like sounds in LibriSpeech's layout: every letter has a sound of its
own, and speakers differ in pitch and in the length of their vocal tract. A small model learns it in
a minute, which shows that the whole chain works, and nothing about speech.

The same options make the same corpus; another seed makes other speakers.

example:
  asr synthesise tiny --utterances 4 --speakers 2 --seed 1
next:
  asr prepare tiny --output tiny.jsonl
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `asr synthesise` takes."""
    parser.add_argument("folder", type=folder_to_make, metavar="FOLDER", help="folder to make")
    for what in ("utterances", "speakers"):
        parser.add_argument(
            f"--{what}", type=at_least(1), required=True, metavar="N", help=f"how many {what}"
        )
    parser.add_argument(
        "--seed", type=at_least(0), default=1, metavar="N", help="of everything random (default: 1)"
    )


def run(options: argparse.Namespace) -> int:
    """Make the corpus."""
    from asr.corpus.tiny import write_tiny_corpus
    from asr.errors import DataError
    from asr.files import replacing_folder

    folder: Path = options.folder
    if folder.exists():
        raise DataError(f"{folder}: is there already; name a new folder")
    with replacing_folder(folder) as made:
        write_tiny_corpus(made, options.utterances, options.speakers, options.seed)
    print(f"{folder}: {options.utterances} utterances")
    return 0
