"""Speed perturbation: the same speech faster or slower."""

import numpy as np
import soxr
from numpy.typing import NDArray


def change_speed(
    waveform: NDArray[np.float32], sample_rate: int, factor: float
) -> NDArray[np.float32]:
    """Play a waveform `factor` times as fast; tempo and pitch change together.

    Args:
        waveform: (N,).
        sample_rate: Of waveform and result.
        factor: Above 0; above 1 is faster and shorter; exactly 1 returns the waveform itself.

    Returns:
        (round(N / factor),).

    References:
        Ko et al., "Audio Augmentation for Speech Recognition", Interspeech 2015.
    """
    if factor == 1:
        return waveform
    resampled = soxr.resample(waveform, sample_rate * factor, sample_rate, quality="HQ")
    return of_length(resampled, round(len(waveform) / factor))


def of_length(waveform: NDArray[np.float32], n_samples: int) -> NDArray[np.float32]:
    """Cut a waveform, or continue it by zeros; resamplers and codecs round lengths either way."""
    return np.pad(waveform[:n_samples], (0, max(0, n_samples - len(waveform))))
