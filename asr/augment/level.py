"""Level: a recording that is too soft, or so loud that it clips."""

import numpy as np
from numpy.typing import NDArray

GAIN_DB = (-20.0, 25.0)  # drawn uniformly
STEPS = 32768.0  # of 16-bit samples, from 0 to full scale


def change_level(waveform: NDArray[np.float32], seed: int) -> NDArray[np.float32]:
    """Amplify a waveform, (N,), by a random gain, as far as 16 bits hold it.

    Returns:
        (N,) float32 in [-1, 1].
    """
    gain = 10 ** (np.random.default_rng(seed).uniform(*GAIN_DB) / 20)
    samples = np.rint(waveform * np.float32(gain * STEPS))
    clipped: NDArray[np.float32] = samples.clip(-STEPS, STEPS - 1)
    return clipped / np.float32(STEPS)
