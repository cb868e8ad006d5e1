"""The acoustic model: features in, log-probabilities of tokens out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from asr.errors import ConfigError
from asr.lengths import check_lengths
from asr.model.subsampling import TIME_STRIDES, ConvSubsampling, FrameStacking
from asr.recurrent import CELLS, RecurrentStack, draw_dropout

Output = Literal["text", "phones"]


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """The shape of the network.

    Attributes:
        subsampling_factor: Feature frames per encoder frame: 2, 3 or 4 of convolutions.
        n_channels: Channels of the subsampling convolutions; 0: none, frames are put together.
        upsampling_factor: Output frames per encoder frame, each with a projection of its own.
        cell: "lstm", "gru" or "rnn".
        size: Units of each direction of a recurrent layer.
        n_layers: Recurrent layers.
        bidirectional: Whether each layer also reads the speech from its end.
        dropout: Probability of dropping a unit of a recurrent layer's or of the projection's input,
            in all frames of an utterance.
    """

    subsampling_factor: int
    n_channels: int
    upsampling_factor: int
    cell: str
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
        if self.cell not in CELLS:
            raise ConfigError(f"model.cell must be one of {sorted(CELLS)}, got {self.cell!r}")
        if self.n_channels < 0:
            raise ConfigError(f"model.n_channels must be at least 0, got {self.n_channels}")
        for name in ("subsampling_factor", "upsampling_factor", "size", "n_layers"):
            if getattr(self, name) < 1:
                raise ConfigError(f"model.{name} must be at least 1, got {getattr(self, name)}")
        if not 0.0 <= self.dropout < 1.0:
            raise ConfigError(f"model.dropout must lie in [0, 1), got {self.dropout}")


class AcousticModel(nn.Module):
    """Convolutional subsampling, a recurrent encoder, and a projection to tokens.

    A second projection, to phones, teaches the encoder what the spelling of words hides, and lets a
    lexicon say how words are spelled.

    Args:
        config: The shape of the network.
        n_features: F.
        n_tokens: V of the output of text.
        n_phones: V of the output of phones; 0: there is none.
    """

    def __init__(
        self, config: ModelConfig, *, n_features: int, n_tokens: int, n_phones: int = 0
    ) -> None:
        super().__init__()
        self.config = config
        self.subsampling = _make_subsampling(config, n_features)
        self.encoder = RecurrentStack(
            config.size,
            cell=config.cell,
            n_layers=config.n_layers,
            bidirectional=config.bidirectional,
        )
        n_outputs = config.upsampling_factor
        self.projection = nn.Linear(config.size, n_outputs * n_tokens)
        self.phone_projection = nn.Linear(config.size, n_outputs * n_phones) if n_phones else None

    def forward(
        self, features: Tensor, lengths: Tensor, output: Output = "text"
    ) -> tuple[Tensor, Tensor]:
        """Score every token at every output frame.

        Args:
            features: (B, T, F) float, normalised; padding is never read.
            lengths: (B,) int64, valid frames.
            output: Which tokens.

        Returns:
            log_probs, (B, T', V) float32, natural log, each frame normalised, token 0 the blank;
            and their lengths, (B,), ceil(length / subsampling_factor) * upsampling_factor.
            Log-probabilities at padded positions are undefined.

        Raises:
            ShapeError: `lengths` does not fit `features`.
        """
        frames, lengths = self._subsample(features, lengths)
        log_probs = self.score(self.encoder(frames, lengths), output)
        return log_probs, lengths * self.config.upsampling_factor

    def encode_at(
        self, features: Tensor, lengths: Tensor, depths: Sequence[int], dropout: Tensor
    ) -> tuple[list[Tensor], Tensor]:
        """Encode speech for training, as far as each of some recurrent layers.

        Args:
            features: (B, T, F) float, normalised; padding is never read.
            lengths: (B,) int64, valid frames.
            depths: Numbers of layers, rising; those above the last one do not run.
            dropout: Factors that `draw_dropout` drew.

        Returns:
            For each depth what `score` reads, (B, T', D), and the lengths of its output, (B,).

        Raises:
            ShapeError: `lengths` does not fit `features`.
        """
        frames, lengths = self._subsample(features, lengths)
        encoded = self.encoder.at_depths(frames, lengths, depths, dropout[:-1])
        encoded = [frames * dropout[-1] for frames in encoded]
        return encoded, lengths * self.config.upsampling_factor

    def score(self, frames: Tensor, output: Output) -> Tensor:
        """Score encoded frames: (B, T', D) to (B, T' * upsampling_factor, V).

        Returns:
            Log-probabilities, float32, natural log, each output frame normalised.
        """
        projection = self.projection if output == "text" else self.phone_projection
        if projection is None:
            raise ConfigError("this model has no output of phones: see train.phone_weight")
        logits = projection(frames).float()
        if self.config.upsampling_factor > 1:
            n_tokens = logits.shape[2] // self.config.upsampling_factor
            logits = logits.reshape(len(logits), -1, n_tokens)
        return functional.log_softmax(logits, dim=2)

    def parameters_up_to(self, n_layers: int) -> tuple[nn.Parameter, ...]:
        """Give all weights but those of the recurrent layers above the first `n_layers`."""
        above = self.encoder.layers[n_layers:].parameters()
        resting = {id(parameter) for parameter in above}
        return tuple(p for p in self.parameters() if id(p) not in resting)

    def draw_dropout(
        self, n_utterances: int, generator: torch.Generator, strength: float = 1.0
    ) -> Tensor:
        """Draw which units an update does without, the same ones in all frames of an utterance.

        Args:
            n_utterances: B.
            generator: The only source of chance.
            strength: Share of the configured probability, 0 to 1.

        Returns:
            (n_layers + 1, B, 1, D): for each layer's input, and last for the projection's, a factor
            a unit: zero, or what keeps the expectation.
        """
        n_inputs, size = self.config.n_layers + 1, self.config.size
        return draw_dropout(n_inputs, n_utterances, size, strength * self.config.dropout, generator)

    def _subsample(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        if not torch.compiler.is_compiling():
            check_lengths(features, lengths, "features")
        if features.shape[1] == 0:  # nobody in the batch has a frame; torch's layers must read one
            features = features.new_zeros(len(features), 1, features.shape[2])
        frames, lengths = self.subsampling(features, lengths)
        return frames, lengths


def _make_subsampling(config: ModelConfig, n_features: int) -> ConvSubsampling | FrameStacking:
    factor, size = config.subsampling_factor, config.size
    if config.n_channels:
        return ConvSubsampling(n_features, factor=factor, n_channels=config.n_channels, size=size)
    return FrameStacking(n_features, factor=factor, size=size)
