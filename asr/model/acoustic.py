"""The acoustic model: features in, log-probabilities of tokens out."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from asr.errors import ConfigError
from asr.features.padding import check_lengths
from asr.model.config import ModelConfig
from asr.model.partner import Partner
from asr.model.recurrent import RecurrentStack, draw_dropout
from asr.model.subsampling import ConvSubsampling, FrameStacking


class AcousticModel(nn.Module):
    """Subsampling, a recurrent encoder, and a head for each kind of tokens.

    Args:
        config: The shape of the network.
        n_features: F.
        heads: V of each head by its name. A head is a projection of the encoder's frames to its
            tokens.
    """

    def __init__(self, config: ModelConfig, *, n_features: int, heads: Mapping[str, int]) -> None:
        super().__init__()
        self.config = config
        self.subsampling = _make_subsampling(config, n_features)
        self.encoder = RecurrentStack(
            config.size,
            cell=config.cell,
            n_layers=config.n_layers,
            bidirectional=config.bidirectional,
        )
        try:
            self.heads = nn.ModuleDict(
                {name: nn.Linear(config.size, n_tokens) for name, n_tokens in heads.items()}
            )
        except KeyError as error:  # such as `keys`
            raise ConfigError(f"heads: {error.args[0]} in torch; choose another name") from error

    def forward(self, features: Tensor, lengths: Tensor, head: str) -> tuple[Tensor, Tensor]:
        """Score every token of a head at every encoder frame.

        Args:
            features: (B, T, F) float, normalised; padding is never read.
            lengths: (B,) int64, valid frames.
            head: Its name.

        Returns:
            log_probs, (B, T', V) float32, natural log, each frame normalised, token 0 the blank;
            undefined at padding. And their lengths, (B,), ceil(length / subsampling_factor).

        Raises:
            ShapeError: `lengths` does not fit `features`.
            ConfigError: There is no such head.
        """
        frames, lengths = self.encode(features, lengths)
        return self.score(frames, head), lengths

    def encode(
        self,
        features: Tensor,
        lengths: Tensor,
        dropout: Tensor | None = None,
        partner: Partner | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Encode features into frames, (B, T', D), and their lengths.

        Args:
            features: (B, T, F) float, normalised; padding is never read.
            lengths: (B,) int64, valid frames.
            dropout: Factors from `draw_dropout`; None drops nothing.
            partner: Who shares the work of bidirectional layers; None does all of it here.

        Raises:
            ShapeError: `lengths` does not fit `features`.
        """
        check_lengths(features, lengths, "features")
        if features.shape[1] == 0:  # torch's layers need at least one frame
            features = features.new_zeros(len(features), 1, features.shape[2])
        frames, lengths = self.subsampling(features, lengths)  # (B, T', D)
        if dropout is None:
            return self.encoder(frames, lengths, None, partner), lengths
        return self.encoder(frames, lengths, dropout[:-1], partner) * dropout[-1], lengths

    def score(self, frames: Tensor, head: str) -> Tensor:
        """Project encoded frames, (B, T', D), to a head's log-probabilities, (B, T', V) float32."""
        if head not in self.heads:
            raise ConfigError(f"the model has the heads {', '.join(self.heads)}, got {head!r}")
        return functional.log_softmax(self.heads[head](frames).float(), dim=2)  # (B, T', V)

    def draw_dropout(
        self, n_utterances: int, generator: torch.Generator, strength: float = 1.0
    ) -> Tensor:
        """Draw which units an update drops, the same in all frames of an utterance.

        Args:
            n_utterances: B.
            generator: The only source of randomness.
            strength: Share of the configured probability, 0 to 1.

        Returns:
            (n_layers + 1, B, 1, D): a factor per unit, zero or what keeps the expectation; for the
            input of each layer and, last, of the heads.
        """
        n_inputs, size = self.config.n_layers + 1, self.config.size
        return draw_dropout(n_inputs, n_utterances, size, strength * self.config.dropout, generator)


def _make_subsampling(config: ModelConfig, n_features: int) -> ConvSubsampling | FrameStacking:
    factor, size = config.subsampling_factor, config.size
    if config.n_channels:
        return ConvSubsampling(n_features, factor=factor, n_channels=config.n_channels, size=size)
    return FrameStacking(n_features, factor=factor, size=size)
