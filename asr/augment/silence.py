"""Silence: speech with long pauses before and after, unlike a corpus that was cut to sentences."""

import numpy as np
from numpy.typing import NDArray

from asr.augment.noise import cut_noise

MAX_SECONDS = 6.0  # of either pause; durations are drawn uniformly
DIGITAL_SHARE = 0.5  # of pauses without even a faint noise
SNR_DB = (30.0, 70.0)  # speech to faint noise, in power, drawn uniformly


def silence_seconds(seed: int) -> tuple[float, float]:
    """Draw the durations of the pauses before and after."""
    before, after = np.random.default_rng(seed).uniform(0.0, MAX_SECONDS, 2).tolist()
    return before, after


def add_silence(
    waveform: NDArray[np.float32],
    sample_rate: int,
    loops: NDArray[np.float32],
    power: float,
    seed: int,
) -> NDArray[np.float32]:
    """Add a pause before and one after, of digital silence or, throughout, of faint noise.

    Args:
        waveform: (N,) float32, N >= 1.
        sample_rate: Hz.
        loops: (K, L) of noise, each of mean power 1.
        power: Mean square of the speech.
        seed: The only source of randomness, at least 0.

    Returns:
        (N',) float32, longer by `silence_seconds(seed)`; it may exceed [-1, 1].
    """
    before, after = (round(seconds * sample_rate) for seconds in silence_seconds(seed))
    padded = np.pad(waveform, (before, after))
    rng = np.random.default_rng(seed + 1)
    if rng.random() < DIGITAL_SHARE:
        return padded
    return padded + cut_noise(loops, len(padded), power / 10 ** (rng.uniform(*SNR_DB) / 10), rng)
