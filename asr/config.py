"""Configuration: a TOML file becomes one frozen tree, complete and checked at the door.

Each component owns its part and receives only that; here the parts of an acoustic model are
gathered under the names of the file's tables. Nothing has a default: what a file leaves out or
misspells is refused by its name.
"""

import dataclasses
import hashlib
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import Any, ClassVar, Literal, Protocol, TypeVar, get_args, get_origin, get_type_hints

import tomli_w

from asr.augment.config import MP3_SAMPLE_RATES, AugmentConfig
from asr.corpus.batching import BatchingConfig
from asr.errors import ConfigError
from asr.features.config import FeatureConfig
from asr.lengths import whole_samples
from asr.model.config import ModelConfig
from asr.text.tokenizer import HeadConfig, TextConfig
from asr.train.config import OptimiserConfig, TermConfig, TrainConfig

GRAPH_NAMES = ("waveforms", "lengths", "frame_lengths")  # of the exported graph, beside heads
TEXT_HEAD = "text"  # the head that every model has: greedy search and validation read it

Part = TypeVar("Part")


class Tree(Protocol):
    """A configuration: a frozen dataclass of values and of further such trees."""

    __dataclass_fields__: ClassVar[Any]


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that decides what an acoustic model is and how it was trained.

    Attributes:
        text: How transcripts are normalised.
        heads: The tokens that each of the network's heads outputs.
        features: What the front-end computes.
        augment: How training speech is varied.
        model: The shape of the network.
        batching: How the corpus is cut into batches.
        optimiser: How far each update goes.
        train: How long a run goes.
        objective: The loss of each head.
    """

    text: TextConfig
    heads: Mapping[str, HeadConfig]
    features: FeatureConfig
    augment: AugmentConfig
    model: ModelConfig
    batching: BatchingConfig
    optimiser: OptimiserConfig
    train: TrainConfig
    objective: Mapping[str, TermConfig]

    def __post_init__(self) -> None:
        """Refuse parts that do not go together."""
        sample_rate = self.features.sample_rate
        if self.augment.codec_share > 0 and sample_rate not in MP3_SAMPLE_RATES:
            raise ConfigError(
                "features.sample_rate does not go with augment.codec_share: MP3 has a sample rate "
                f"of {', '.join(map(str, MP3_SAMPLE_RATES))} Hz, not {sample_rate}"
            )
        if self.heads.keys() != self.objective.keys():
            raise ConfigError(
                "heads and objective must name the same heads, got "
                f"{', '.join(self.heads)} and {', '.join(self.objective)}"
            )
        for name in self.heads:
            if not name.isidentifier() or name in GRAPH_NAMES:
                raise ConfigError(
                    f"heads.{name}: expected a name of letters, digits and _, and none of "
                    f"{', '.join(GRAPH_NAMES)}"
                )
        if TEXT_HEAD not in self.heads or self.heads[TEXT_HEAD].units == "phones":
            raise ConfigError(f"heads.{TEXT_HEAD} must be there, of units that spell text")

    @property
    def frame_shift(self) -> float:
        """Seconds from one frame of the network's output to the next, which are whole samples."""
        features = self.features
        n_samples = whole_samples(features.frame_shift, features.sample_rate)
        return n_samples / features.sample_rate * self.model.subsampling_factor

    @property
    def phone_heads(self) -> list[str]:
        """Name the heads whose tokens are phones, which need a lexicon."""
        return [name for name, head in self.heads.items() if head.units == "phones"]


def read_tree(kind: type[Part], path: Path, overrides: Mapping[str, str] | None = None) -> Part:
    """Read a configuration file.

    Args:
        kind: A frozen tree of dataclasses, such as `Config`.
        path: A TOML file with exactly the tables and keys of that kind.
        overrides: Values by dotted key, as TOML writes them: {"train.n_epochs": "3"}.

    Raises:
        ConfigError: The file is missing or not TOML, or a key is unknown, missing, of the wrong
            type or impossible; the message names file and key.
    """
    tree = read_toml(path)
    tree.pop("format", None)  # of the model directory that the file lies in, if it does
    for key, text in (overrides or {}).items():
        _override(tree, key, text)
    try:
        return build_tree(kind, tree)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises:
        ConfigError: It is missing or not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:  # TOMLDecodeError is one, UnicodeDecodeError, too
        raise ConfigError(f"{path}: expected a TOML configuration, got {error}") from error


def build_tree(kind: type[Part], tree: Mapping[str, Any], where: str = "") -> Part:
    """Make a dataclass of a TOML table: its fields by name, each of its declared type.

    Args:
        kind: The dataclass.
        tree: The table.
        where: The table's name with a dot at its end, for messages.

    Raises:
        ConfigError: A key is unknown, missing, of the wrong type or impossible.
    """
    hints = get_type_hints(kind)
    problems = [f"unknown key {where}{name}" for name in sorted(tree.keys() - hints.keys())]
    problems += [f"missing key {where}{name}" for name in sorted(hints.keys() - tree.keys())]
    if problems:
        raise ConfigError("; ".join(problems))
    return kind(**{name: _value(hint, tree[name], where + name) for name, hint in hints.items()})


def to_toml(config: Tree) -> str:
    """Write a tree so that `read_tree` gives it back."""
    return tomli_w.dumps(dataclasses.asdict(config))


def config_hash(config: Tree) -> str:
    """Name a configuration by 8 hexadecimal digits, whatever the file's layout."""
    return hashlib.sha256(to_toml(config).encode()).hexdigest()[:8]


def refuse_other_shape(before: Config, after: Config) -> None:
    """Refuse to start training from the weights of a network of another shape.

    It may have more recurrent layers, another dropout and fewer heads, and everything about its
    training may differ.

    Args:
        before: What the weights were trained with.
        after: Of the training to come.

    Raises:
        ConfigError: It names what differs.
    """
    old, new = dataclasses.asdict(before), dataclasses.asdict(after)
    tables = [(table, old[table], new[table]) for table in ("features", "text", "model")]
    old_heads, new_heads = old["heads"], new["heads"]
    shared = [head for head in old_heads if head in new_heads]
    tables += [(f"heads.{head}", old_heads[head], new_heads[head]) for head in shared]
    for table, theirs, ours in tables:
        for name, value in theirs.items():
            is_grown = name == "n_layers" and value < ours[name]
            if value == ours[name] or name == "dropout" or is_grown:
                continue
            rule = "layers can only be added" if name == "n_layers" else "they must be the same"
            raise ConfigError(
                f"the model to start with has {table}.{name} = {value!r}, the configuration "
                f"{ours[name]!r}: {rule}"
            )


def _override(tree: dict[str, Any], key: str, text: str) -> None:
    *tables, name = key.split(".")
    table: Any = tree
    for each in tables:
        table = table.get(each, {}) if isinstance(table, dict) else {}
    if not tables or not isinstance(table, dict) or name not in table:
        raise ConfigError(f"no key {key!r} to set; keys are written table.key, as train.n_epochs")
    try:
        table[name] = tomllib.loads(f"value = {text}")["value"]
    except ValueError:
        table[name] = text  # a bare word is a string


def _value(hint: Any, value: Any, where: str) -> Any:  # noqa: ANN401 (any type TOML knows)
    kind = get_origin(hint)
    if kind is UnionType:
        hint = _alternative(get_args(hint), value, where)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return build_tree(hint, _table(value, where), f"{where}.")
    if kind is Mapping:
        named = _table(value, where).items()
        return {name: _value(get_args(hint)[1], own, f"{where}.{name}") for name, own in named}
    if kind is tuple:
        if not isinstance(value, list):
            raise ConfigError(f"{where} must be a list, got {value!r}")
        return tuple(_value(get_args(hint)[0], entry, where) for entry in value)
    if kind is Literal:
        if value not in get_args(hint):
            raise ConfigError(f"{where} must be one of {get_args(hint)}, got {value!r}")
        return value
    return _plain(hint, value, where)


def _plain(hint: type, value: object, where: str) -> object:
    """Check a number, a string or a truth value."""
    if hint is float and type(value) is int:
        value = float(value)
    if type(value) is not hint:
        raise ConfigError(f"{where} must be {hint.__name__}, got {value!r}")
    if isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(f"{where} must be finite, got {value!r}")
    return value


def _table(value: object, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ConfigError(f"{where} must be a table, got {value!r}")
    return value


def _alternative(kinds: tuple[type, ...], value: object, where: str) -> type:
    """Choose the class whose first field, a literal, has the table's value."""
    table = _table(value, where)
    named: dict[object, type] = {}
    for kind in kinds:
        tag, hint = next(iter(get_type_hints(kind).items()))
        named[get_args(hint)[0]] = kind
    if table.get(tag) not in tuple(named):  # a list cannot be looked up in a dict
        raise ConfigError(f"{where}.{tag} must be one of {tuple(named)}, got {table.get(tag)!r}")
    return named[table[tag]]
