"""A model directory: all that recognising and further training need; nothing in it runs code.

model.onnx           from waveform to log-probabilities of every head, for recognising
model.safetensors    weights and CMVN statistics, to train on from
config.toml          the format's version, then the configuration that the model was trained with
tokens-HEAD.txt      the tokens of a head by id (and bpe-HEAD.model, if they are pieces of words)
priors.safetensors   each token's share of the training speech, for searches that divide it out
confidence.toml      calibrations of word confidences, by kind of search
trained-on.toml      the speech that it has learned from; see `trained_on`
search.toml          its default search, if any, with words.lm and lexicon.txt; see `decoding`
golden.safetensors   a waveform and what the model makes of it, for `asr doctor`; see `golden`
README.md            the model card
SHA256SUMS           digests of all these; see `seal`

Recognising reads all but model.safetensors, and so does without torch.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray
from safetensors import SafetensorError

from asr.checkpoint.decoding import SearchPlan, read_default_search, write_default_search
from asr.checkpoint.seal import check_seal
from asr.checkpoint.trained_on import TRAINED_ON_FILE, TrainedOn
from asr.confidence.calibration_file import Calibrations, read_calibrations, write_calibrations
from asr.config import Config, Part, Tree, read_toml, read_tree, to_toml
from asr.errors import ConfigError, DataError, ModelError
from asr.text.normalise import normaliser
from asr.text.tokenizer import Tokenizer, read_tokenizer

FORMAT = 2  # of a model directory
ONNX_FILE = "model.onnx"
WEIGHTS_FILE = "model.safetensors"
CONFIG_FILE = "config.toml"
PRIORS_FILE = "priors.safetensors"
GOLDEN_FILE = "golden.safetensors"
CARD_FILE = "README.md"

Prior = NDArray[np.float32]

_CONVERSION = "convert it with recipes/convert_format_1.py, which is in the package's repository"


@dataclass(frozen=True, slots=True)
class ModelDirectory:
    """What a model is, without its weights.

    Attributes:
        config: As it was trained with.
        tokenizers: The tokens of each head.
        priors: By head, (V,) each token's share of the training speech as the model outputs it; see
            `asr.train.priors`. May lack heads.
        calibrations: Of the confidences of its searches; they belong to its weights.
        search: Its default search.
        trained_on: The speech that it has learned from.
    """

    config: Config
    tokenizers: Mapping[str, Tokenizer]
    priors: Mapping[str, Prior] = field(default_factory=dict)
    calibrations: Calibrations = field(default_factory=dict)
    search: SearchPlan = field(default_factory=SearchPlan)
    trained_on: TrainedOn = field(default_factory=TrainedOn)


def read_directory(folder: Path) -> ModelDirectory:
    """Read a model directory, but for the weights; check all that recognising reads.

    Raises:
        ModelError: The folder or a file is missing, they do not belong together, or they are of
            another format.
    """
    if not _is_model(folder):
        raise ModelError(f"{folder}: not a model directory: expected {ONNX_FILE} in it")
    check_seal(folder, without=(WEIGHTS_FILE, GOLDEN_FILE, CARD_FILE))
    try:
        config = read_stored_config(Config, folder, conversion=_CONVERSION)
        tokenizers = {head: read_tokenizer(folder, head) for head in config.heads}
        return ModelDirectory(
            config,
            tokenizers,
            _read_priors(folder / PRIORS_FILE, tokenizers),
            read_calibrations(folder),
            read_default_search(folder),
            _read_trained_on(folder / TRAINED_ON_FILE),
        )
    except (ConfigError, DataError, SafetensorError) as error:
        raise ModelError(f"{folder}: its files do not make a model: {error}") from error


def write_directory(folder: Path, model: ModelDirectory, card: str) -> None:
    """Write all but weights, graph and golden example into a folder that is being made."""
    write_stored_config(folder, model.config)
    for head, tokenizer in model.tokenizers.items():
        tokenizer.write(folder, head)
    if model.priors:
        (folder / PRIORS_FILE).write_bytes(safetensors.numpy.save(dict(model.priors)))
    write_default_search(folder, model.search, normaliser(model.config.text.normaliser))
    if model.calibrations:
        write_calibrations(folder, model.calibrations)
    if model.trained_on.speech:
        (folder / TRAINED_ON_FILE).write_text(to_toml(model.trained_on), encoding="utf-8")
    (folder / CARD_FILE).write_text(card, encoding="utf-8")


def read_card(folder: Path) -> str:
    """Read a model's card."""
    return (folder / CARD_FILE).read_text(encoding="utf-8")


def check_replaceable(folder: Path) -> None:
    """Refuse to write a model over something that is not a model, and would be deleted.

    Raises:
        ModelError: `folder` is a file, or a folder that is neither empty nor a model directory.
    """
    if folder.is_dir():
        is_replaceable = _is_model(folder) or not any(folder.iterdir())
    else:
        is_replaceable = not folder.exists()
    if not is_replaceable:
        raise ModelError(f"{folder}: exists and is not a model directory; name a new folder")


def write_stored_config(folder: Path, config: Tree) -> None:
    """Write the format's version and a configuration into a folder that is being made."""
    (folder / CONFIG_FILE).write_text(f"format = {FORMAT}\n\n{to_toml(config)}", encoding="utf-8")


def read_stored_config(kind: type[Part], folder: Path, *, conversion: str) -> Part:
    """Read the configuration of a model directory of the present format.

    Args:
        kind: Of the configuration.
        folder: The model directory.
        conversion: How a directory of format 1 becomes one of the present format, for the message.

    Raises:
        ModelError: The directory is of another format.
        ConfigError: The configuration is missing, or not of this kind.
    """
    path = folder / CONFIG_FILE
    version = read_toml(path).get("format", 1)
    if version != FORMAT:
        advice = conversion if version == 1 else "install a newer one"
        raise ModelError(
            f"{folder}: a model of format {version}; this version reads format {FORMAT}: {advice}"
        )
    return read_tree(kind, path)


def _is_model(folder: Path) -> bool:
    return any((folder / name).is_file() for name in (ONNX_FILE, WEIGHTS_FILE))


def _read_trained_on(path: Path) -> TrainedOn:
    """Read what a model was trained on; nothing, if it is older than the file."""
    return read_tree(TrainedOn, path) if path.exists() else TrainedOn()


def _read_priors(path: Path, tokenizers: Mapping[str, Tokenizer]) -> dict[str, Prior]:
    """Read the priors of a model's heads; none if there is no such file.

    Raises:
        DataError: One does not belong to its head, or is not above 0 everywhere.
    """
    stored = safetensors.numpy.load_file(path) if path.exists() else {}
    priors = {head: stored[head].astype(np.float32) for head in tokenizers if head in stored}
    for head, prior in priors.items():
        n_tokens = len(tokenizers[head])
        if prior.shape != (n_tokens,) or not (prior > 0).all():
            raise DataError(f"{path.name}: {head} must be {n_tokens} numbers above 0")
    return priors
