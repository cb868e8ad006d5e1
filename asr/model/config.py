"""The configuration of the network: the table `[model]`."""

from dataclasses import dataclass
from typing import Literal

from asr.errors import ConfigError

Cell = Literal["lstm", "gru", "rnn"]
TIME_STRIDES = {2: (2, 1), 3: (3, 1), 4: (2, 2)}  # subsampling factor → stride of each convolution


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """The shape of the network.

    Attributes:
        subsampling_factor: Feature frames per encoder frame; 2, 3 or 4 with convolutions.
        n_channels: Channels of the subsampling convolutions; 0: none, frames are stacked instead.
        cell: Kind of the recurrent layers.
        size: Units of each direction of a recurrent layer.
        n_layers: Recurrent layers.
        bidirectional: Whether each layer also reads the speech backwards.
        dropout: Probability of dropping a unit of a recurrent layer's or of a head's input, in all
            frames of an utterance.
    """

    subsampling_factor: int
    n_channels: int
    cell: Cell
    size: int
    n_layers: int
    bidirectional: bool
    dropout: float

    def __post_init__(self) -> None:
        """Refuse a network that cannot be built."""
        if self.n_channels > 0 and self.subsampling_factor not in TIME_STRIDES:
            raise ConfigError(
                f"model.subsampling_factor must be one of {sorted(TIME_STRIDES)} with "
                f"convolutions (model.n_channels), got {self.subsampling_factor}"
            )
        if self.n_channels < 0:
            raise ConfigError(f"model.n_channels must be at least 0, got {self.n_channels}")
        for name in ("subsampling_factor", "size", "n_layers"):
            if getattr(self, name) < 1:
                raise ConfigError(f"model.{name} must be at least 1, got {getattr(self, name)}")
        if not 0.0 <= self.dropout < 1.0:
            raise ConfigError(f"model.dropout must lie in [0, 1), got {self.dropout}")
