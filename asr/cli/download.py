"""Fetch subsets of LibriSpeech (read English, CC BY 4.0) from OpenSLR, check and unpack them.

Each goes to DIR/LibriSpeech/<subset>. An interrupted download resumes where it stopped, also when
you run the command again; a subset that is already there is left alone. Unpacking needs twice a
subset's size.

Example:
  asr download mini_librispeech/train-clean-5 --output data
Next:
  asr prepare data/LibriSpeech/train-clean-5 --output train.jsonl
"""

import argparse
from pathlib import Path

from asr.cli.bars import counting_bar
from asr.corpus.download import OPENSLR, download


def add_arguments(parser: argparse.ArgumentParser) -> None:
    names = "\n".join(
        f"  {name:<32}{archive.n_bytes / 1e9:5.1f} GB" if archive.n_bytes else f"  {name}"
        for name, archive in OPENSLR.items()
    )
    parser.epilog = f"names:\n{names}"
    parser.add_argument(
        "names", nargs="+", choices=OPENSLR, metavar="NAME", help="one of those below"
    )
    parser.add_argument(
        "--output", type=Path, required=True, metavar="DIR", help="folder to unpack into"
    )


def run(options: argparse.Namespace) -> int:
    for name in options.names:
        with counting_bar(name, "B", scale=True) as advance:
            folder = download(OPENSLR[name], options.output, progress=advance)
        print(folder)
    return 0
