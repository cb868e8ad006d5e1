"""Mel-frequency cepstral coefficients (MFCC): the cosine transform of log-mel energies, liftered.

The first coefficient, c0, is the scaled sum of the log-mel energies (Kaldi's `--use-energy=false`).
"""

import math

import torch
from torch import Tensor, nn

LIFTER = 22.0  # Kaldi's and HTK's default.


class Mfcc(nn.Module):
    """Turn log-mel energies into cepstra, as Kaldi's `compute-mfcc-feats --use-energy=false`.

    References:
        Davis and Mermelstein, "Comparison of Parametric Representations for Monosyllabic Word
        Recognition in Continuously Spoken Sentences", IEEE Trans. ASSP 28(4), 1980.
    """

    transform: Tensor

    def __init__(self, n_mels: int, n_ceps: int) -> None:
        """Derive the transform; the state dict stays empty.

        Args:
            n_mels: Log-mel energies per frame.
            n_ceps: Coefficients to keep, c0 included, at most `n_mels`.
        """
        super().__init__()
        transform = dct(n_mels)[:, :n_ceps] * lifter(n_ceps)
        self.register_buffer("transform", transform.float(), persistent=False)

    def forward(self, log_mel: Tensor) -> Tensor:
        """Transform every frame: (B, T, n_mels) to (B, T, n_ceps). Zero padding stays zero."""
        with torch.autocast(log_mel.device.type, enabled=False):
            return log_mel @ self.transform


def dct(size: int) -> Tensor:
    """Return the orthonormal type-II cosine transform, one coefficient per column, float64."""
    position = (torch.arange(size, dtype=torch.float64) + 0.5).unsqueeze(1)
    waves = torch.cos(math.pi / size * position * torch.arange(size))
    waves[:, 0] *= math.sqrt(0.5)
    return waves * math.sqrt(2.0 / size)  # (size, size)


def lifter(n_ceps: int) -> Tensor:
    """Return the factors, (n_ceps,) float64, that bring cepstra to comparable ranges."""
    order = torch.arange(n_ceps, dtype=torch.float64)
    return 1.0 + 0.5 * LIFTER * torch.sin(math.pi * order / LIFTER)
