"""Convert a model directory of format 1, of asr before version 0.2, into the present format.

    python recipes/convert_format_1.py OLD NEW

needs the package with all that training needs: pip install 'asr-ctc[train]'. NEW gets model.onnx in
8 bits and weights in 16. What the present format lacks is left out: the second network, which
spelled the phones of the first one, and the calibrations of the searches that read it.
"""

import argparse
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
import safetensors.torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from asr.checkpoint.decoding import read_default_search
from asr.checkpoint.directory import (
    CONFIG_FILE,
    GOLDEN_FILE,
    PRIORS_FILE,
    WEIGHTS_FILE,
    read_card,
)
from asr.checkpoint.network import Checkpoint, build, load_weights, save_checkpoint
from asr.confidence.calibration_file import read_calibrations
from asr.config import TEXT_HEAD, Config, build_tree
from asr.errors import AsrError, ConfigError, DataError, ModelError
from asr.text.tokenizer import Tokenizer
from asr.text.tokens import TokenTable

PHONES_HEAD = "phones"
TOKEN_FILES = {TEXT_HEAD: "tokens.txt", PHONES_HEAD: "phones.txt"}
PROJECTIONS = {"model.projection.": TEXT_HEAD, "model.phone_projection.": PHONES_HEAD}
MASKS = (
    *("n_frequency_masks", "max_frequency_bins", "time_masks_per_second"),
    *("max_time_seconds", "max_time_fraction"),
)
RENDITIONS = (
    *("speeds", "reverb_share", "silence_share", "noise_share", "babble_share", "level_share"),
    *("telephone_share", "codec_share", "join_share", "no_speech_share", "ramp_epochs"),
)
REMOVED = {  # settings of the network and its features, with the only value that can be converted
    ("model", "upsampling_factor"): 1,
    ("spec_augment", "max_frequency_warp"): 0.0,
}


def main() -> None:
    """Convert the directory that the command line names."""
    parser = argparse.ArgumentParser(description="Convert a model directory of format 1.")
    parser.add_argument("old", type=Path, metavar="OLD", help="model directory of format 1")
    parser.add_argument("new", type=Path, metavar="NEW", help="model directory to make")
    options = parser.parse_args()
    try:
        convert(options.old, options.new)
    except AsrError as error:
        parser.exit(1, f"{parser.prog}: error: {error}\n")


def convert(old: Path, new: Path) -> None:
    """Read a model directory of format 1 and write it in the present format.

    Raises:
        ModelError: `old` is no model of format 1, or it has what the present format lacks; or `new`
            holds something that is no model.
    """
    try:
        checkpoint, example, card = read_format_1(old), _read_example(old), read_card(old)
    except (OSError, ConfigError, DataError, SafetensorError, KeyError, RuntimeError) as error:
        raise ModelError(f"{old}: its files do not make a model of format 1: {error}") from error
    save_checkpoint(new, checkpoint, card=card, example=example, is_half=True, onnx="int8")


def read_format_1(folder: Path) -> Checkpoint:
    """Read a model directory of format 1."""
    tree = tomllib.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))
    if "format" in tree:
        raise ConfigError(f"it has format {tree['format']}")
    has_phones = (folder / TOKEN_FILES[PHONES_HEAD]).exists()
    config = build_tree(Config, _converted(tree, has_phones=has_phones))
    tokenizers = _tokenizers(folder, config)
    checkpoint = build(config, tokenizers)
    tensors = safetensors.torch.load_file(folder / WEIGHTS_FILE)
    load_weights(checkpoint, {_renamed(name): tensor for name, tensor in tensors.items()})
    calibrations = read_calibrations(folder)
    if (folder / "speller").exists():
        calibrations = {kind: own for kind, own in calibrations.items() if PHONES_HEAD in kind}
    directory = replace(
        checkpoint.directory,
        priors=_priors(folder / PRIORS_FILE, tokenizers),
        calibrations=calibrations,
        search=read_default_search(folder),
    )
    return replace(checkpoint, directory=directory)


def _read_example(folder: Path) -> NDArray[np.float32]:
    """Read the waveform of the golden example, (N,); all else in that file has changed."""
    with safe_open(folder / GOLDEN_FILE, framework="np") as file:
        samples: NDArray[np.int16] = file.get_tensor("waveform")
    return (samples / 32768).astype(np.float32)


def _converted(tree: Mapping[str, Any], *, has_phones: bool) -> dict[str, Any]:
    """Write a configuration of format 1 under the present names."""
    for (table, name), neutral in REMOVED.items():
        value = tree.get(table, {}).get(name, neutral)
        if value != neutral:
            raise ConfigError(f"{table}.{name} is {value!r}, which is no longer supported")
    text, batching, train = tree["text"], tree["batching"], tree["train"]
    heads = {TEXT_HEAD: {"units": text["units"], "n_tokens": text["n_tokens"]}}
    phone_weight = train.get("phone_weight", 0.0) if has_phones else 0.0
    objective: dict[str, Any] = {TEXT_HEAD: {"loss": "ctc", "weight": 1.0 - phone_weight}}
    if has_phones:
        heads[PHONES_HEAD] = {"units": "phones", "n_tokens": 0}
        crf_weight = train.get("crf_weight", 0.0)
        objective[PHONES_HEAD] = {"loss": "ctc", "weight": phone_weight}
        if crf_weight:
            objective[PHONES_HEAD] |= {"loss": "ctc-crf", "denominator_weight": crf_weight}
    augment = {name: tree["spec_augment"][name] for name in MASKS}
    augment |= {name: batching.get(name, 0.0) for name in RENDITIONS} | {"tempos": [1.0]}
    return {
        "text": {"normaliser": text["normaliser"]},
        "heads": heads,
        "features": tree["features"] | {"cmvn_window": 0.0},
        "augment": augment,
        "model": {k: v for k, v in tree["model"].items() if k != "upsampling_factor"},
        "batching": {k: batching[k] for k in ("batch_duration", "sorted_first", "seed")},
        "optimiser": {k: v for k, v in tree["optimiser"].items() if k != "schedule"},
        "train": {
            name: train[name]
            for name in (
                *("n_epochs", "validate_every", "precision", "n_shards", "average_decay"),
                "checkpoint_minutes",
            )
        },
        "objective": objective,
    }


def _tokenizers(folder: Path, config: Config) -> dict[str, Tokenizer]:
    if config.heads[TEXT_HEAD].units != "char":
        raise ConfigError("text.units is 'bpe': only models of characters are converted")
    return {head: _read_tokens(folder / TOKEN_FILES[head]) for head in config.heads}


def _read_tokens(path: Path) -> TokenTable:
    return TokenTable(tuple(path.read_bytes().decode().removesuffix("\n").split("\n")))


def _renamed(name: str) -> str:
    for old, head in PROJECTIONS.items():
        if name.startswith(old):
            return f"model.heads.{head}.{name.removeprefix(old)}"
    return name


def _priors(path: Path, tokenizers: Mapping[str, Tokenizer]) -> dict[str, NDArray[np.float32]]:
    """Read the priors that fit their head: a second network's tokens had another number."""
    stored = safetensors.numpy.load_file(path) if path.exists() else {}
    return {
        head: stored[head].astype(np.float32)
        for head, tokenizer in tokenizers.items()
        if head in stored and stored[head].shape == (len(tokenizer),)
    }


if __name__ == "__main__":
    main()
