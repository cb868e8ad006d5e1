"""The network: ids of characters in, log-probabilities of the next ones out."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from asr.char_lm.config import CharacterModelConfig
from asr.model.recurrent import RecurrentStack, draw_dropout


class CharacterModel(nn.Module):
    """An embedding of characters, recurrent layers in one direction, and a projection.

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
        """Make the state before the first character, for B sequences."""
        return self.stack.start(n_sequences)

    def forward(
        self, ids: Tensor, state: Tensor, dropout: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Score what may follow each character.

        Args:
            ids: (B, U) int64.
            state: From `start`, or from the call that read the characters before these.
            dropout: Factors from `draw_dropout`; None drops nothing.

        Returns:
            log_probs, (B, U, V) float32, natural log, each position normalised, of the character
            after each; and the state after the last one.
        """
        layers, last = (None, 1.0) if dropout is None else (dropout[:-1], dropout[-1])
        frames, state = self.stack.read_on(self.embedding(ids), state, layers)
        logits = self.projection(frames * last).float()
        return functional.log_softmax(logits, dim=2), state

    def draw_dropout(self, n_sequences: int, generator: torch.Generator) -> Tensor:
        """Draw (n_layers + 1, B, 1, D) factors, for the inputs of the layers and the projection."""
        n_inputs, size = self.config.n_layers + 1, self.config.size
        return draw_dropout(n_inputs, n_sequences, size, self.config.dropout, generator)
