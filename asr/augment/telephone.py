"""Telephone: a waveform as it sounds over a line of 8 kHz and 8 bits."""

from functools import cache

import numpy as np
import soxr
from numpy.typing import NDArray

from asr.augment.speed import of_length

SAMPLE_RATE = 8000  # Hz
BAND = (300.0, 3400.0)  # Hz, where half of the pressure is left
N_TAPS = 65  # edges are 300 Hz wide
MU = 255.0
N_LEVELS = 127  # of either sign
STEPS = 32768  # of 16-bit samples, from 0 to full scale


def through_telephone(waveform: NDArray[np.float32], sample_rate: int) -> NDArray[np.float32]:
    """Send a waveform, (N,), over a telephone line.

    Returns:
        (N,) float32; what exceeds [-1, 1] is clipped.

    References:
        ITU-T G.711, "Pulse code modulation (PCM) of voice frequencies", 1988 (mu-law; here the
        smooth curve that its straight pieces follow).
    """
    narrow = soxr.resample(waveform, sample_rate, SAMPLE_RATE, quality="HQ")
    narrow = of_length(narrow, max(N_TAPS, -(-len(waveform) * SAMPLE_RATE // sample_rate)))
    band = np.convolve(narrow, _filter(), mode="same")
    samples = np.rint(band * STEPS).clip(-STEPS, STEPS - 1).astype(np.int64)
    decoded = _mu_law()[samples + STEPS]
    wide = soxr.resample(decoded, SAMPLE_RATE, sample_rate, quality="HQ")
    return of_length(wide, len(waveform))


@cache
def _filter() -> NDArray[np.float32]:
    """Design the filter of the band by a windowed sinc: (N_TAPS,), symmetric."""
    seconds = (np.arange(N_TAPS) - N_TAPS // 2) / SAMPLE_RATE
    low, high = (2 * edge / SAMPLE_RATE * np.sinc(2 * edge * seconds) for edge in BAND)
    return ((high - low) * np.hamming(N_TAPS)).astype(np.float32)


@cache
def _mu_law() -> NDArray[np.float32]:
    """Tabulate what each 16-bit sample, from -32768 on, is after coding and decoding."""
    samples = np.arange(-STEPS, STEPS) / STEPS
    code = np.rint(np.log1p(MU * abs(samples)) / np.log1p(MU) * N_LEVELS)
    decoded = np.sign(samples) * np.expm1(code / N_LEVELS * np.log1p(MU)) / MU
    table: NDArray[np.float32] = decoded.astype(np.float32)
    return table
