"""The configuration of a language model over characters: one part per table of the file."""

from dataclasses import dataclass
from typing import Literal

from asr.errors import ConfigError
from asr.model.config import Cell
from asr.text.normalise import NORMALISERS
from asr.train.config import OptimiserConfig


@dataclass(frozen=True, slots=True)
class CharacterModelConfig:
    """The shape of the network.

    Attributes:
        cell: Kind of the recurrent layers.
        size: Units of a recurrent layer.
        n_layers: Recurrent layers.
        dropout: Probability of dropping an input of a recurrent layer or of the projection, for all
            characters of a chunk.
    """

    cell: Cell
    size: int
    n_layers: int
    dropout: float

    def __post_init__(self) -> None:
        for name in ("size", "n_layers"):
            if getattr(self, name) < 1:
                raise ConfigError(f"model.{name} must be at least 1, got {getattr(self, name)}")
        if not 0.0 <= self.dropout < 1.0:
            raise ConfigError(f"model.dropout must lie in [0, 1), got {self.dropout}")


@dataclass(frozen=True, slots=True)
class StreamConfig:
    """How a text is read.

    Attributes:
        n_streams: Places of the text that are read in parallel: the rows of a batch.
        chunk_length: Characters of each row in an update. Gradients stop there; the state does not.
    """

    n_streams: int
    chunk_length: int

    def __post_init__(self) -> None:
        for name in ("n_streams", "chunk_length"):
            if getattr(self, name) < 1:
                raise ConfigError(f"streams.{name} must be at least 1, got {getattr(self, name)}")


@dataclass(frozen=True, slots=True)
class LanguageTrainConfig:
    """How long a run goes, and how carefully.

    Attributes:
        n_epochs: Passes over the text, possibly a fraction.
        n_validations: Validations, evenly spread over the run; the last one is at its end.
        precision: "float32", or "bfloat16" for matrix products in bfloat16 (weights stay float32)
            where the processor has an LSTM in it.
        n_shards: Equal parts of the streams, one per thread.
        checkpoint_minutes: A run that is killed loses at most this much work.
        seed: Of the weights and the dropout.
    """

    n_epochs: float
    n_validations: int
    precision: Literal["float32", "bfloat16"]
    n_shards: int
    checkpoint_minutes: float
    seed: int

    def __post_init__(self) -> None:
        for name in ("n_validations", "n_shards"):
            if getattr(self, name) < 1:
                raise ConfigError(f"train.{name} must be at least 1, got {getattr(self, name)}")
        if not self.n_epochs > 0:
            raise ConfigError(f"train.n_epochs must be positive, got {self.n_epochs}")


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
        if self.normaliser not in NORMALISERS:
            raise ConfigError(
                f"normaliser must be one of {sorted(NORMALISERS)}, got {self.normaliser!r}"
            )
        if self.train.n_shards > self.streams.n_streams:
            raise ConfigError(
                f"train.n_shards must be at most streams.n_streams ({self.streams.n_streams}), "
                f"got {self.train.n_shards}"
            )
