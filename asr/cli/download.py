"""Fetch LibriSpeech (read English, CC BY 4.0) and its language models from OpenSLR, and check them.

Each subset goes to DIR/LibriSpeech/<subset>. librispeech/lm stands for all its files: 3-grams,
words and a lexicon (public domain), which go to DIR/LibriSpeech/lm. An interrupted download resumes
where it stopped, also when you run the command again; what is already there is left alone.
Unpacking needs twice a subset's size.

Example:
  asr download mini_librispeech/train-clean-5 --output data
Next:
  asr prepare data/LibriSpeech/train-clean-5 --output train.jsonl
"""

import argparse
from pathlib import Path

from asr.cli.bars import counting_bar
from asr.corpus.download import LM, OPENSLR, archives_of, download


def add_arguments(parser: argparse.ArgumentParser) -> None:
    names = "\n".join(
        f"  {name:<42}{archive.n_bytes / 1e9:8.3f} GB" for name, archive in OPENSLR.items()
    )
    parser.epilog = f"names:\n{names}"
    parser.add_argument(
        "names", nargs="+", choices=[*OPENSLR, LM], metavar="NAME", help="one of those below"
    )
    parser.add_argument(
        "--output", type=Path, required=True, metavar="DIR", help="folder that receives them"
    )


def run(options: argparse.Namespace) -> int:
    for name in options.names:
        for archive in archives_of(name):
            with counting_bar(archive.folder, "B", scale=True) as advance:
                print(download(archive, options.output, progress=advance))
    return 0
