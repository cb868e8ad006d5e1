"""Streams: a long text as rows that are read side by side, chunk by chunk."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from asr.errors import ConfigError, DataError


@dataclass(frozen=True, slots=True)
class StreamConfig:
    """How a text is read.

    Attributes:
        n_streams: Places of the text that are read at the same time: the rows of a batch.
        chunk_length: Characters of each row in an update. Gradients go no further back; the state
            does.
    """

    n_streams: int
    chunk_length: int

    def __post_init__(self) -> None:
        """Refuse streams without a character."""
        for name in ("n_streams", "chunk_length"):
            if getattr(self, name) < 1:
                raise ConfigError(f"streams.{name} must be at least 1, got {getattr(self, name)}")


class Streams:
    """The characters of a text, cut into as many rows as there are streams.

    A row follows from the same row in the chunk before it. The last characters of a text, fewer
    than there are streams, are left out.

    Args:
        ids: (N,) of any integer type.
        config: How many streams, and how long a chunk.

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

    @property
    def n_characters(self) -> int:
        """Count the characters that are predicted in one pass."""
        return self._targets.numel()

    def chunk(self, number: int) -> tuple[Tensor, Tensor]:
        """Take a chunk: characters and, for each, the one that follows, (B, U) int64 both."""
        start = number * self.config.chunk_length
        columns = slice(start, start + self.config.chunk_length)
        inputs, targets = self._inputs[:, columns], self._targets[:, columns]
        return inputs.to(torch.int64), targets.to(torch.int64)
