"""The recurrent language model over characters: ids in, log-probabilities of the next ones out."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from asr.errors import ConfigError
from asr.model.recurrent import CELLS, RecurrentStack, draw_dropout


@dataclass(frozen=True, slots=True)
class CharacterModelConfig:
    """The shape of the network.

    Attributes:
        cell: "lstm", "gru" or "rnn".
        size: Units of a recurrent layer.
        n_layers: Recurrent layers.
        dropout: Probability of dropping a unit of a recurrent layer's or of the projection's input,
            for all characters of a chunk.
    """

    cell: str
    size: int
    n_layers: int
    dropout: float

    def __post_init__(self) -> None:
        """Refuse a network that cannot be built."""
        if self.cell not in CELLS:
            raise ConfigError(f"model.cell must be one of {sorted(CELLS)}, got {self.cell!r}")
        for name in ("size", "n_layers"):
            if getattr(self, name) < 1:
                raise ConfigError(f"model.{name} must be at least 1, got {getattr(self, name)}")
        if not 0.0 <= self.dropout < 1.0:
            raise ConfigError(f"model.dropout must lie in [0, 1), got {self.dropout}")


class CharacterModel(nn.Module):
    """An embedding of characters, recurrent layers that read ahead, and a projection.

    The layers are those of the acoustic model's encoder.

    References:
        Mikolov et al., "Recurrent neural network based language model", Interspeech 2010.
        Graves, "Generating sequences with recurrent neural networks", 2013, section 3.
    """

    def __init__(self, config: CharacterModelConfig, *, n_characters: int) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(n_characters, config.size)
        self.stack = RecurrentStack(
            config.size, cell=config.cell, n_layers=config.n_layers, bidirectional=False
        )
        self.projection = nn.Linear(config.size, n_characters)

    def start(self, n_sequences: int) -> Tensor:
        """Make the state of having read nothing, for B sequences."""
        return self.stack.start(n_sequences)

    def forward(
        self, ids: Tensor, state: Tensor, dropout: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Score what may follow each character.

        Args:
            ids: (B, U) int64.
            state: What `start` made, or a call returned that read what stands in front.
            dropout: Factors that `draw_dropout` drew, for training; None drops nothing.

        Returns:
            log_probs, (B, U, V) float32, natural log, each position normalised: of the character
            behind each; and the state behind the last one.
        """
        layers, last = (None, 1.0) if dropout is None else (dropout[:-1], dropout[-1])
        frames, state = self.stack.read_on(self.embedding(ids), state, layers)
        logits = self.projection(frames * last).float()
        return functional.log_softmax(logits, dim=2), state

    def draw_dropout(self, n_sequences: int, generator: torch.Generator) -> Tensor:
        """Draw (n_layers + 1, B, 1, D) factors: of each layer's input, last of the projection's."""
        n_inputs, size = self.config.n_layers + 1, self.config.size
        return draw_dropout(n_inputs, n_sequences, size, self.config.dropout, generator)
