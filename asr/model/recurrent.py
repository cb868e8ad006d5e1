"""The recurrent encoder: layers of LSTM, GRU or plain RNN cells, in one or both directions.

A padded batch runs several times faster on a CPU than a packed one. Both directions stay exact: the
forward one reads padding only after the speech, and the backward one reads the speech reversed with
the padding still at its end.
"""

import torch
from torch import Tensor, nn

from asr.lengths import reverse_valid

CELLS: dict[str, type[nn.LSTM | nn.GRU | nn.RNN]] = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}


class RecurrentLayer(nn.Module):
    """One recurrent layer, its directions side by side, normalised: (B, T, D) → (B, T, D')."""

    def __init__(self, input_size: int, size: int, *, cell: str, bidirectional: bool) -> None:
        super().__init__()
        self.ahead = CELLS[cell](input_size, size, batch_first=True)
        self.back = CELLS[cell](input_size, size, batch_first=True) if bidirectional else None
        self.output_size = size * (2 if bidirectional else 1)
        self.norm = nn.LayerNorm(self.output_size)

    def forward(self, frames: Tensor, lengths: Tensor) -> Tensor:
        """Read the valid frames; what stands at padded positions of the output is undefined."""
        states = self.ahead(frames)[0]
        if self.back is not None:
            mirrored = self.back(reverse_valid(frames, lengths))[0]
            states = torch.cat([states, reverse_valid(mirrored, lengths)], dim=2)
        normalised: Tensor = self.norm(states)
        return normalised


class RecurrentEncoder(nn.Module):
    """A stack of recurrent layers with dropout before each.

    References:
        Graves, Mohamed and Hinton, "Speech recognition with deep recurrent neural networks",
        ICASSP 2013. Ba, Kiros and Hinton, "Layer normalization", 2016.
    """

    def __init__(
        self,
        input_size: int,
        *,
        cell: str,
        size: int,
        n_layers: int,
        bidirectional: bool,
        dropout: float,
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList()
        for _ in range(n_layers):
            layer = RecurrentLayer(input_size, size, cell=cell, bidirectional=bidirectional)
            self.layers.append(layer)
            input_size = layer.output_size
        self.dropout = nn.Dropout(dropout)
        self.output_size = input_size

    def forward(self, frames: Tensor, lengths: Tensor) -> Tensor:
        """Encode (B, T, D) with valid `lengths` (B,) into (B, T, D')."""
        for layer in self.layers:
            frames = layer(self.dropout(frames), lengths)
        return frames
