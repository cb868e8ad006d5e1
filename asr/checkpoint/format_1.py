"""Format 1 of a model directory (up to commit aa0c1b0), read as the present one.

What the present format lacks is left out: a second network that spelled the first one's phones,
with the calibrations of the searches that read it.
"""

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
from asr.checkpoint.directory import CONFIG_FILE, PRIORS_FILE, WEIGHTS_FILE
from asr.checkpoint.golden import GOLDEN_FILE
from asr.checkpoint.network import Checkpoint, build, load_weights
from asr.confidence.calibration_file import read_calibrations
from asr.config import TEXT_HEAD, Config, build_tree
from asr.errors import ConfigError, DataError, ModelError
from asr.text.tokens import Tokenizer, TokenTable

PHONES_HEAD = "phones"
_HEADS = {"model.projection.": TEXT_HEAD, "model.phone_projection.": PHONES_HEAD}
_MASKS = (
    *("n_frequency_masks", "max_frequency_bins", "time_masks_per_second"),
    *("max_time_seconds", "max_time_fraction"),
)
_RENDITIONS = ("speeds", "codec_share", "noise_share", "reverb_share", "ramp_epochs")
_GONE = {  # what a network or its features cannot have any more
    ("model", "upsampling_factor"): 1,
    ("spec_augment", "max_frequency_warp"): 0.0,
}


def is_format_1(folder: Path) -> bool:
    """Tell whether a folder holds a model of format 1."""
    try:
        tree = tomllib.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return "format" not in tree and (folder / WEIGHTS_FILE).is_file()


def read_format_1(folder: Path) -> Checkpoint:
    """Read a model directory of format 1.

    Raises:
        ModelError: Its files do not make a model, or it has what the present format lacks.
    """
    try:
        tree = tomllib.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))
        has_phones = (folder / "phones.txt").exists()
        config = build_tree(Config, _converted(tree, has_phones=has_phones))
        tokenizers = _tokenizers(folder, config)
        checkpoint = build(config, tokenizers)
        tensors = safetensors.torch.load_file(folder / WEIGHTS_FILE)
        load_weights(checkpoint, {_renamed(name): tensor for name, tensor in tensors.items()})
        calibrations = read_calibrations(folder)
    except (OSError, ConfigError, DataError, SafetensorError, KeyError, RuntimeError) as error:
        raise ModelError(f"{folder}: its files do not make a model of format 1: {error}") from error
    if (folder / "speller").exists():
        calibrations = {kind: own for kind, own in calibrations.items() if PHONES_HEAD in kind}
    directory = replace(
        checkpoint.directory,
        priors=_priors(folder / PRIORS_FILE, tokenizers),
        calibrations=calibrations,
        search=read_default_search(folder),
    )
    return replace(checkpoint, directory=directory)


def read_example_1(folder: Path) -> NDArray[np.float32]:
    """Read the waveform of the golden example, (N,)."""
    with safe_open(folder / GOLDEN_FILE, framework="np") as file:
        samples: NDArray[np.int16] = file.get_tensor("waveform")
    return (samples / 32768).astype(np.float32)


def _converted(tree: Mapping[str, Any], *, has_phones: bool) -> dict[str, Any]:
    """Write a configuration of format 1 under the present names."""
    for (table, name), neutral in _GONE.items():
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
    augment = {name: tree["spec_augment"][name] for name in _MASKS}
    augment |= {name: batching.get(name, 0.0) for name in _RENDITIONS}
    return {
        "text": {"normaliser": text["normaliser"]},
        "heads": heads,
        "features": tree["features"],
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
    files = {TEXT_HEAD: "tokens.txt", PHONES_HEAD: "phones.txt"}
    return {head: _read_tokens(folder / files[head]) for head in config.heads}


def _read_tokens(path: Path) -> TokenTable:
    return TokenTable(tuple(path.read_bytes().decode().removesuffix("\n").split("\n")))


def _renamed(name: str) -> str:
    for old, head in _HEADS.items():
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
