"""Make a model ready to give away.

The packed model has the graph that recognises without torch (model.onnx; see asr export), your
model card, and a golden example of your choice, by which `asr doctor` tells whether another machine
computes the same. Score the packed model, not the one that it was made from, since it is the one
that others will use. --half also stores the weights to train on from in 16 bits, half the space.

With a language model and a lexicon, the packed model contains them and uses them by default: give
the options that you give asr decode. --search greedy removes them.

Examples:
  asr pack exp/model --output released --half --example speech.wav --card CARD.md
  asr pack exp/model --output released --search beam --lm small.lm --lexicon lexicon.txt
Next:
  asr doctor released
"""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from asr.audio.decoder import Waveform
from asr.audio.read import read_waveform
from asr.checkpoint.decoding import SearchPlan, plan_search
from asr.checkpoint.directory import CARD_FILE, check_replaceable
from asr.checkpoint.engine import verify_model
from asr.checkpoint.golden import read_example
from asr.checkpoint.names import model_folder
from asr.cli.export import add_weights_argument
from asr.cli.outputs import folder_to_make
from asr.cli.searching import add_model_argument, add_search_arguments, read_search
from asr.errors import AsrError, AudioError
from asr.features.config import FeatureConfig
from asr.files import replacing_folder
from asr.recognizer import load_model
from asr.text.lines import read_text

if TYPE_CHECKING:
    from asr.checkpoint.network import Checkpoint


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_model_argument(parser)
    parser.add_argument(
        "--output",
        type=folder_to_make,
        required=True,
        metavar="FOLDER",
        help="model directory to make",
    )
    parser.add_argument("--half", action="store_true", help="store model.safetensors in 16 bits")
    add_weights_argument(parser)
    parser.add_argument(
        "--example", type=Path, metavar="AUDIO", help="golden example (default: the model's own)"
    )
    parser.add_argument(
        "--card", type=Path, metavar="FILE", help="model card (default: the model's own)"
    )
    add_search_arguments(parser)


def run(options: argparse.Namespace) -> int:
    from asr.checkpoint.network import load_checkpoint, save_checkpoint

    folder = model_folder(options.model)
    checkpoint = load_checkpoint(folder)
    if options.example is None:
        example = read_example(folder)
    else:
        example = _read_example(options.example, checkpoint.config.features)
    card = read_text(options.card or folder / CARD_FILE)
    search = _default_search(options, checkpoint)
    packed = replace(checkpoint, directory=replace(checkpoint.directory, search=search))
    before = _size(folder)
    check_replaceable(options.output)
    with replacing_folder(options.output) as made:  # what was there stays, unless all is well
        save_checkpoint(
            made, packed, card=card, example=example, is_half=options.half, onnx=options.weights
        )
        _check(made, options.output)
    print(f"{options.output}: {_size(options.output):.1f} MB (was {before:.1f} MB)")
    return 0


def _check(made: Path, output: Path) -> None:
    """Refuse a model that does not compute what it should, or a search that does not fit it."""
    try:
        verify_model(made)
        load_model(made)
    except AsrError as error:
        raise type(error)(f"not packed: {error}".replace(str(made), str(output))) from error


def _read_example(path: Path, features: FeatureConfig) -> Waveform:
    example = read_waveform(path, sample_rate=features.sample_rate)
    if len(example) < features.frame_length * features.sample_rate:
        raise AudioError(f"{path}: is too short for an example: not one frame")
    return example


def _default_search(options: argparse.Namespace, checkpoint: "Checkpoint") -> SearchPlan:
    """Choose the packed model's default search: the model's own, unless told otherwise."""
    plan = plan_search(read_search(options), checkpoint.directory.search)
    if plan.hotwords:
        options.refuse("--hotwords are for one recording or another: give them to asr transcribe")
    if plan.beam and plan.lm is None:
        options.refuse("a model's default search needs a language model: give --lm")
    return plan


def _size(folder: Path) -> float:
    """Add up a folder's files, in MB."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
