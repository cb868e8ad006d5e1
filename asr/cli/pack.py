"""`asr pack`: a trained model becomes one to give away, small and able to check itself."""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from asr.cli.outputs import add_model_output
from asr.cli.searching import add_model_argument, add_search_arguments, read_search

if TYPE_CHECKING:
    from asr.checkpoint.decoding import OwnSearch

HELP = "make a model ready to give away"
DESCRIPTION = """\
Make a model ready to give away: in half the space, with your model card, and with a golden example
of your choice, by which `asr doctor` tells whether another machine computes the same.

--half stores the weights in 16 bits; computing goes on in 32 bits. Score the packed model, not the
one that it was made from, since it is the one that others will use.

With a language model, and a lexicon, the packed model comes with them and is searched with them
unless another search is asked for: give what asr decode is given. --search greedy takes them away.

examples:
  asr pack exp/model --output released --half --example speech.wav --card CARD.md
  asr pack exp/model --output released --search beam --lm small.lm --lexicon lexicon.txt
next:
  asr doctor released
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `asr pack` takes."""
    add_model_argument(parser)
    add_model_output(parser)
    parser.add_argument("--half", action="store_true", help="store weights in 16 bits")
    parser.add_argument(
        "--example", type=Path, metavar="AUDIO", help="golden example (default: the model's own)"
    )
    parser.add_argument(
        "--card", type=Path, metavar="FILE", help="model card (default: the model's own)"
    )
    add_search_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Write the packed model, check that it can be loaded, and say how large it is."""
    from asr.audio.read import read_waveform
    from asr.checkpoint.directory import CARD_FILE
    from asr.checkpoint.names import model_folder
    from asr.checkpoint.network import load_checkpoint, read_example, save_checkpoint
    from asr.errors import AudioError
    from asr.recognizer import load_model, verify_model

    folder = model_folder(options.model)
    checkpoint = load_checkpoint(folder)
    if options.example is None:
        example = read_example(folder)
    else:
        sample_rate = checkpoint.config.features.sample_rate
        example = read_waveform(options.example, sample_rate=sample_rate)
        if len(example) < checkpoint.config.features.frame_length * sample_rate:
            raise AudioError(f"{options.example}: is too short for an example: not one frame")
    card = _read_card(options.card or folder / CARD_FILE)
    checkpoint = replace(checkpoint, search=_own_search(options))
    before = _size(folder)
    save_checkpoint(options.output, checkpoint, card=card, example=example, is_half=options.half)
    verify_model(options.output)
    load_model(options.output)  # its files of the search fit it, too
    print(f"{options.output}: {_size(options.output):.1f} MB (was {before:.1f} MB)")
    return 0


def _own_search(options: argparse.Namespace) -> "OwnSearch | None":
    """Take the search that the model is to come with; that which it has, unless told otherwise."""
    from asr.checkpoint.decoding import OwnSearch

    searching = read_search(options, options.model)
    if searching.beam is None:
        return None
    if searching.hotwords:
        options.refuse("--hotwords are for one recording or another: give them to asr transcribe")
    if searching.lm:
        return OwnSearch(searching.beam, searching.lm, searching.lexicon)
    options.refuse("a model comes with a search for the sake of its language model: give --lm")
    return None


def _read_card(path: Path) -> str:
    from asr.errors import DataError

    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: is not UTF-8 text at byte {error.start}") from error


def _size(folder: Path) -> float:
    """Add up a folder's files, in MB."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
