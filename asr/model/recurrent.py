"""Recurrent layers of LSTM, GRU or plain RNN cells, in one or both directions.

Batches are padded, not packed, which is several times faster on a CPU. Both directions stay exact:
the forward one reads padding only after the speech; the backward one reads the speech reversed,
with the padding still at the end.
"""

import torch
from torch import Tensor, nn

from asr.features.padding import reverse_valid
from asr.model.config import Cell
from asr.model.partner import Partner

CELLS: dict[Cell, type[nn.LSTM | nn.GRU | nn.RNN]] = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}


class RecurrentLayer(nn.Module):
    """A recurrent layer with a residual connection, normalised: (B, T, D) → (B, T, D).

    The two directions are added, not concatenated: the next layer has half the input, and a
    training step on a CPU takes a third less time.

    References:
        Amodei et al., "Deep Speech 2", ICML 2016, section 3.1 (sum of the directions).
        Ba, Kiros and Hinton, "Layer normalization", 2016.
        He et al., "Deep residual learning for image recognition", CVPR 2016.
    """

    def __init__(self, size: int, *, cell: Cell, bidirectional: bool) -> None:
        super().__init__()
        self.ahead = CELLS[cell](size, size, batch_first=True)
        self.back = CELLS[cell](size, size, batch_first=True) if bidirectional else None
        self.norm = nn.LayerNorm(size)

    def forward(self, frames: Tensor, lengths: Tensor, partner: Partner | None = None) -> Tensor:
        """Read the valid frames; the output at padding is undefined."""
        if self.back is None:
            states = frames + self.ahead(frames)[0]
        else:
            reversed_frames = reverse_valid(frames, lengths)
            if partner is None:
                ahead, back = self.ahead(frames)[0], self.back(reversed_frames)[0]
            else:
                ahead, back = partner.states(self.ahead, self.back, frames, reversed_frames)
            states = frames + ahead + reverse_valid(back, lengths)
        normalised: Tensor = self.norm(states)
        return normalised

    def read_on(self, frames: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Continue ahead from a state, (S, B, D); return the output and the state after it."""
        hidden = state.split(1) if isinstance(self.ahead, nn.LSTM) else state
        states, end = self.ahead(frames, hidden)
        return self.norm(frames + states), end if isinstance(end, Tensor) else torch.cat(end)


class RecurrentStack(nn.Module):
    """A stack of recurrent layers; one of a single direction can continue where it stopped.

    References:
        Graves, Mohamed and Hinton, "Speech recognition with deep recurrent neural networks",
        ICASSP 2013.
    """

    def __init__(self, size: int, *, cell: Cell, n_layers: int, bidirectional: bool) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            RecurrentLayer(size, cell=cell, bidirectional=bidirectional) for _ in range(n_layers)
        )
        self._state_size = (n_layers, 2 if cell == "lstm" else 1, size)

    def forward(
        self,
        frames: Tensor,
        lengths: Tensor,
        dropout: Tensor | None = None,
        partner: Partner | None = None,
    ) -> Tensor:
        """Encode frames.

        Args:
            frames: (B, T, D).
            lengths: (B,) int64, valid frames.
            dropout: (n_layers, B, 1, D) factors on each layer's input; None drops nothing.
            partner: Who shares the work of bidirectional layers; None does all of it here.

        Returns:
            (B, T, D).
        """
        for i, layer in enumerate(self.layers):
            frames = layer(frames if dropout is None else frames * dropout[i], lengths, partner)
        return frames

    def start(self, n_sequences: int) -> Tensor:
        """Make the state before the first frame: zeros, (n_layers, S, B, D)."""
        n_layers, n_parts, size = self._state_size
        return torch.zeros(n_layers, n_parts, n_sequences, size)

    def read_on(
        self, frames: Tensor, state: Tensor, dropout: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Read the next frames of a sequence, in one direction; pieces give the same as the whole.

        Args:
            frames: (B, T, D), all valid. From padding on, neither output nor state has a meaning.
            state: (n_layers, S, B, D) float32 from `start` or the previous call. S is 2 for LSTM
                (output and cell), else 1.
            dropout: (n_layers, B, 1, D) factors on each layer's input; None drops nothing.

        Returns:
            The output, (B, T, D), and the state after the last frame.
        """
        ends = []
        for i, layer in enumerate(self.layers):
            assert isinstance(layer, RecurrentLayer)
            frames, end = layer.read_on(
                frames if dropout is None else frames * dropout[i], state[i]
            )
            ends.append(end.float())
        return frames, torch.stack(ends)


def draw_dropout(
    n_layers: int, n_sequences: int, size: int, probability: float, generator: torch.Generator
) -> Tensor:
    """Draw which units of each layer are dropped, the same in all frames of a sequence.

    Returns:
        (n_layers, B, 1, D): a factor per unit, zero or what keeps the expectation.

    References:
        Gal and Ghahramani, "A theoretically grounded application of dropout in recurrent neural
        networks", NeurIPS 2016 (one mask per sequence; here between layers, not in time).
    """
    kept = 1.0 - probability
    shape = (n_layers, n_sequences, 1, size)
    return (torch.rand(shape, generator=generator) < kept).float() / kept
