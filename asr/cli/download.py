"""Fetch LibriSpeech (read English, CC BY 4.0) and its language models from OpenSLR, and check them.

A subset is unpacked to DIR/LibriSpeech/<subset>, which needs twice its size. An interrupted
download resumes where it stopped, also when you run the command again; what is already there is
left alone.

librispeech/lm/... are the vocabulary, the lexicon and n-gram models that LibriSpeech is published
with; they go to DIR/lm. --lexicon, --lm and asr lm build --vocabulary take them as they are; asr lm
convert makes a model open instantly. librispeech/lm alone is the vocabulary, the lexicon and
3-gram.pruned.1e-7.

Examples:
  asr download mini_librispeech/train-clean-5 --output data
  asr download librispeech/lm librispeech/lm/4-gram.arpa.gz --output data
Next:
  asr prepare data/LibriSpeech/train-clean-5 --output train.jsonl
"""

import argparse
from itertools import chain
from pathlib import Path

from asr.cli.bars import counting_bar
from asr.corpus.download import OPENSLR, download

TOGETHER = {
    "librispeech/lm": tuple(
        f"librispeech/lm/{file}"
        for file in (
            "librispeech-vocab.txt",
            "librispeech-lexicon.txt",
            "3-gram.pruned.1e-7.arpa.gz",
        )
    )
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    names = "\n".join(
        f"  {name:<43}{archive.n_bytes / 1e6:8,.0f} MB" for name, archive in OPENSLR.items()
    )
    parser.epilog = f"names:\n{names}"
    parser.add_argument(
        "names", nargs="+", choices=[*OPENSLR, *TOGETHER], metavar="NAME", help="one of those below"
    )
    parser.add_argument(
        "--output", type=Path, required=True, metavar="DIR", help="folder to unpack into"
    )


def run(options: argparse.Namespace) -> int:
    for name in chain.from_iterable(TOGETHER.get(name, (name,)) for name in options.names):
        with counting_bar(name, "B", scale=True) as advance:
            folder = download(OPENSLR[name], options.output, progress=advance)
        print(folder)
    return 0
