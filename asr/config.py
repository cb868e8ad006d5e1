"""Configuration: a TOML file becomes one frozen tree, complete and checked at the door.

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

from asr.audio.codec import check_mp3_rate
from asr.corpus.batching import BatchingConfig
from asr.errors import ConfigError
from asr.features.front_end import FeatureConfig
from asr.features.spec_augment import SpecAugmentConfig
from asr.model.acoustic import ModelConfig
from asr.text.tokenizer import TextConfig
from asr.train.loop import TrainConfig
from asr.train.optimiser import OptimiserConfig

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


def read_config(path: Path, overrides: dict[str, str] | None = None) -> Config:
    """Read a configuration file.

    Args:
        path: A TOML file with exactly the tables and keys of `Config`.
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
        return _build(Config, tree, "")
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def to_toml(config: Config) -> str:
    """Write the tree so that `read_config` gives it back."""
    return tomli_w.dumps(dataclasses.asdict(config))


def config_hash(config: Config) -> str:
    """Name a configuration by 8 hexadecimal digits; comments and layout do not matter."""
    return hashlib.sha256(to_toml(config).encode()).hexdigest()[:8]


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
