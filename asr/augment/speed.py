"""Speed perturbation: the same speech faster or slower."""

import soxr
import torch
from torch import Tensor

from asr.errors import ConfigError


def change_speed(waveform: Tensor, sample_rate: int, factor: float) -> Tensor:
    """Play a waveform `factor` times as fast; tempo and pitch change together.

    Args:
        waveform: (N,) float32 on the CPU, N >= 1.
        sample_rate: Hz, of waveform and result.
        factor: Above 1 is faster and shorter; exactly 1 returns the waveform itself.

    Returns:
        (round(N / factor),) float32.

    Raises:
        ConfigError: `factor` is not above zero.

    References:
        Ko et al., "Audio Augmentation for Speech Recognition", Interspeech 2015.
    """
    if not factor > 0:
        raise ConfigError(f"a speed factor must be above 0, got {factor}")
    if factor == 1:
        return waveform
    resampled = soxr.resample(waveform.numpy(), sample_rate * factor, sample_rate, quality="HQ")
    return _fit(torch.from_numpy(resampled), round(len(waveform) / factor))


def _fit(waveform: Tensor, n_samples: int) -> Tensor:
    """Correct the one sample by which the resampler's rounding may differ from ours."""
    return torch.nn.functional.pad(waveform, (0, n_samples - len(waveform)))
