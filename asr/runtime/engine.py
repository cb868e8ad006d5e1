"""Engine: the interface of whatever computes a network, for recognising."""

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Engine(Protocol):
    """Turns waveforms into log-probabilities, each utterance independently of the others."""

    @property
    def sample_rate(self) -> int:
        """Hz, of the waveforms."""

    @property
    def heads(self) -> Mapping[str, int]:
        """The number of tokens (V, blank included) of each output, by its name, in order."""

    def log_probs(
        self, waveforms: NDArray[np.float32], lengths: NDArray[np.int64], head: str
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Score every token at every frame.

        Args:
            waveforms: (B, N) float32 in [-1, 1]. Padding may hold anything, NaN included.
            lengths: (B,) int64, valid samples.
            head: The output's name.

        Returns:
            log_probs, (B, T, V) float32, natural log, each frame normalised, token 0 the blank;
            and their lengths, (B,) int64. Log-probabilities at padded positions are undefined.

        Raises:
            ShapeError: `waveforms` is not (B, N) float32, or `lengths` do not fit.
            ConfigError: There is no such head.
        """
