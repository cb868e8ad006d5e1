"""Configuration: a TOML file becomes one frozen tree, complete and checked at the door.

There are three kinds: `Config` for an acoustic model, `SpellingConfig` for the speller that may
stand behind it, `LanguageConfig` for a language model.

Each component owns its part and receives only that; here they are gathered under the names of the
file's tables. Nothing has a default: what a file leaves out or misspells is refused by its name.
"""

import dataclasses
import hashlib
import math
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import tomli_w

from asr.augment.codec import check_mp3_rate
from asr.augment.spec_augment import SpecAugmentConfig
from asr.char_lm.loop import LanguageTrainConfig
from asr.char_lm.network import CharacterModelConfig
from asr.char_lm.streams import StreamConfig
from asr.corpus.batching import BatchingConfig
from asr.errors import ConfigError
from asr.features.config import FeatureConfig
from asr.model.config import ModelConfig
from asr.spelling.pronounced_text import PronouncingConfig
from asr.text.normalise import NORMALISERS
from asr.text.tokenizer import TextConfig
from asr.train.config import OptimiserConfig, TrainConfig

Part = TypeVar("Part")


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that decides what a model is and how it was trained."""

    text: TextConfig
    features: FeatureConfig
    spec_augment: SpecAugmentConfig
    model: ModelConfig
    batching: BatchingConfig
    optimiser: OptimiserConfig
    train: TrainConfig

    def __post_init__(self) -> None:
        """Refuse parts that do not go together."""
        if self.batching.codec_share > 0:
            try:
                check_mp3_rate(self.features.sample_rate)
            except ConfigError as error:
                raise ConfigError(
                    f"features.sample_rate does not go with batching.codec_share: {error}"
                ) from error
        if self.spec_augment.max_frequency_warp > 0 and (
            self.features.n_ceps or self.features.delta_order
        ):
            raise ConfigError(
                "spec_augment.max_frequency_warp needs log-mel energies: features.n_ceps and "
                f"features.delta_order of 0, got {self.features.n_ceps} and "
                f"{self.features.delta_order}"
            )
        _check_layers(self.model, self.train)


@dataclass(frozen=True, slots=True)
class SpellingConfig:
    """Everything that decides what a speller is and how it was trained.

    Attributes:
        text: The tokens that it spells text in.
        model: The shape of the network, which reads an acoustic model's phones.
        pronouncing: How the text is said that it learns from.
        optimiser: How far each update goes.
        train: How long a run goes.
    """

    text: TextConfig
    model: ModelConfig
    pronouncing: PronouncingConfig
    optimiser: OptimiserConfig
    train: TrainConfig

    def __post_init__(self) -> None:
        """Refuse parts that do not go together."""
        if self.train.phone_weight > 0:
            raise ConfigError(
                "train.phone_weight must be 0 for a speller, which hears phones and says none, "
                f"got {self.train.phone_weight:g}"
            )
        _check_layers(self.model, self.train)


@dataclass(frozen=True, slots=True)
class LanguageConfig:
    """Everything that decides what a language model over characters is and how it was trained.

    Attributes:
        normaliser: Name of the normaliser of all text that the model reads.
        model: The shape of the network.
        streams: How the text is read.
        optimiser: How far each update goes; its epochs are passes over the text.
        train: How long a run goes.
    """

    normaliser: str
    model: CharacterModelConfig
    streams: StreamConfig
    optimiser: OptimiserConfig
    train: LanguageTrainConfig

    def __post_init__(self) -> None:
        """Refuse parts that do not go together."""
        if self.normaliser not in NORMALISERS:
            raise ConfigError(
                f"normaliser must be one of {sorted(NORMALISERS)}, got {self.normaliser!r}"
            )
        if self.optimiser.schedule != "cosine":
            raise ConfigError(
                "optimiser.schedule of a language model must be 'cosine', "
                f"got {self.optimiser.schedule!r}"
            )
        if self.train.n_shards > self.streams.n_streams:
            raise ConfigError(
                f"train.n_shards must be at most streams.n_streams ({self.streams.n_streams}), "
                f"got {self.train.n_shards}"
            )


def read_config(path: Path, overrides: dict[str, str] | None = None) -> Config:
    """Read the configuration of an acoustic model; see `read_tree`."""
    return read_tree(Config, path, overrides)


def read_tree(kind: type[Part], path: Path, overrides: dict[str, str] | None = None) -> Part:
    """Read a configuration file.

    Args:
        kind: One of those above, or another frozen tree of dataclasses, as `BeamConfig`.
        path: A TOML file with exactly the tables and keys of that kind.
        overrides: Values by dotted key, as TOML writes them: {"train.n_epochs": "3"}.

    Raises:
        ConfigError: The file is missing or not TOML, or a key is unknown, missing, of the wrong
            type or impossible; the message names file and key.
    """
    try:
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: expected a TOML configuration, got {error}") from error
    for key, text in (overrides or {}).items():
        _override(tree, key, text)
    try:
        return _build(kind, tree, "")
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def to_toml(config: Config | SpellingConfig | LanguageConfig) -> str:
    """Write the tree so that `read_tree` gives it back."""
    return tomli_w.dumps(dataclasses.asdict(config))


def config_hash(*configs: Config | SpellingConfig | LanguageConfig) -> str:
    """Name each configuration by 8 hexadecimal digits, a + between; layout does not matter."""
    return "+".join(hashlib.sha256(to_toml(each).encode()).hexdigest()[:8] for each in configs)


def refuse_other_shape(before: Config | SpellingConfig, after: Config | SpellingConfig) -> None:
    """Refuse to begin with a trained network's weights where another one is asked for.

    Args:
        before: What the weights were trained with.
        after: Of the training to come.

    Raises:
        ConfigError: It names what differs.
    """
    differs = shape_difference(before, after)
    if differs:
        name, theirs, ours = differs
        raise ConfigError(
            f"the model to start with has {name} = {theirs!r}, the configuration {ours!r}: "
            "they must be the same"
        )


def shape_difference(
    one: Config | SpellingConfig, other: Config | SpellingConfig
) -> tuple[str, Any, Any] | None:
    """Find a setting, and its two values, by which the weights of two networks do not go together.

    Dropout may differ, and so may all that says how they are trained.
    """
    ours, theirs = dataclasses.asdict(one), dataclasses.asdict(other)
    for table in ("features", "text", "model"):
        for name, value in ours.get(table, {}).items():
            if value != theirs[table][name] and name != "dropout":
                return f"{table}.{name}", value, theirs[table][name]
    return None


def _check_layers(model: ModelConfig, train: TrainConfig) -> None:
    """Refuse a training that is made for more layers than a network has, or for more epochs."""
    if train.middle_weight > 0 and model.n_layers < 2:
        raise ConfigError(
            "train.middle_weight needs a layer below the last one: model.n_layers of at least "
            f"2, got {model.n_layers}"
        )
    if train.whole_from(model.n_layers) >= train.n_epochs:
        raise ConfigError(
            f"train.grow_epochs is {train.grow_epochs}: the last of {model.n_layers} "
            f"layers would never join in within train.n_epochs, {train.n_epochs}"
        )


def _override(tree: dict[str, Any], key: str, text: str) -> None:
    table, _, name = key.partition(".")
    if name not in tree.get(table, {}):
        raise ConfigError(f"no key {key!r} to set; keys are written table.key, as train.n_epochs")
    try:
        tree[table][name] = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        tree[table][name] = text  # a bare word is a string


def _build(kind: type[Part], tree: dict[str, Any], where: str) -> Part:
    """Make a dataclass from a table, its fields by name, each of its declared type."""
    hints = get_type_hints(kind)
    unknown, missing = sorted(set(tree) - set(hints)), sorted(set(hints) - set(tree))
    if unknown or missing:
        problems = [f"unknown key {where}{name}" for name in unknown]
        problems += [f"missing key {where}{name}" for name in missing]
        raise ConfigError("; ".join(problems))
    return kind(**{name: _value(hint, tree[name], where + name) for name, hint in hints.items()})


def _value(hint: Any, value: Any, where: str) -> Any:  # noqa: ANN401 (any type TOML knows)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        if not isinstance(value, dict):
            raise ConfigError(f"{where} must be a table, got {value!r}")
        return _build(hint, value, f"{where}.")
    if get_origin(hint) is tuple:
        if not isinstance(value, list):
            raise ConfigError(f"{where} must be a list, got {value!r}")
        return tuple(_value(get_args(hint)[0], entry, where) for entry in value)
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            raise ConfigError(f"{where} must be one of {get_args(hint)}, got {value!r}")
        return value
    if hint is float and type(value) is int:
        return float(value)
    if type(value) is not hint:
        raise ConfigError(f"{where} must be {hint.__name__}, got {value!r}")
    if hint is float and not math.isfinite(value):
        raise ConfigError(f"{where} must be finite, got {value!r}")
    return value
