"""Speed perturbation: the same speech faster or slower."""

import soxr
import torch
from torch import Tensor

from asr.errors import ConfigError


def change_speed(waveform: Tensor, sample_rate: int, factor: float) -> Tensor:
    """Play a waveform `factor` times as fast; tempo and pitch change together.

    Args:
        waveform: (N,).
        sample_rate: Of waveform and result.
        factor: Above 1 is faster and shorter; exactly 1 returns the waveform itself.

    Returns:
        (round(N / factor),).

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
    # the resampler may have rounded the length the other way
    n_missing = round(len(waveform) / factor) - len(resampled)
    return torch.nn.functional.pad(torch.from_numpy(resampled), (0, n_missing))
