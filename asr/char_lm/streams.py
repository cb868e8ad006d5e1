"""Streams: a long text as rows that are read in parallel, chunk by chunk."""

import math

import torch
from torch import Tensor

from asr.char_lm.config import StreamConfig
from asr.errors import DataError


class Streams:
    """The characters of a text, cut into as many rows as there are streams.

    Each row continues from chunk to chunk. The last characters of the text, fewer than there are
    streams, are left out.

    Args:
        ids: (N,) of any integer type.
        config: Sizes of the rows and chunks.

    Raises:
        DataError: The text has fewer characters than there are streams.
    """

    def __init__(self, ids: Tensor, config: StreamConfig) -> None:
        length = (len(ids) - 1) // config.n_streams
        if length < 1:
            raise DataError(
                f"expected a text longer than streams.n_streams ({config.n_streams}), "
                f"got {len(ids)} characters"
            )
        self.config = config
        self._inputs, self._targets = (
            ids[start : start + config.n_streams * length].view(config.n_streams, length)
            for start in (0, 1)
        )

    def __len__(self) -> int:
        """Count the chunks; the last one may be shorter."""
        return math.ceil(self._inputs.shape[1] / self.config.chunk_length)

    def chunk(self, number: int) -> tuple[Tensor, Tensor]:
        """Return a chunk's characters and the one that follows each, both (B, U) int64."""
        start = number * self.config.chunk_length
        columns = slice(start, start + self.config.chunk_length)
        inputs, targets = self._inputs[:, columns], self._targets[:, columns]
        return inputs.to(torch.int64), targets.to(torch.int64)
