import numpy as np
import pytest

from asr.augment.level import GAIN_DB, change_level

TONE = (0.5 * np.sin(np.arange(16000) / 10.0)).astype(np.float32)  # its crest factor is 3 dB


def crest_factor(waveform: np.ndarray) -> float:
    """Return the peak relative to the mean power, in decibels."""
    return float(20 * np.log10(abs(waveform).max() / np.sqrt(np.square(waveform).mean())))


def test_soft_ones_keep_their_shape_and_loud_ones_become_squares_at_full_scale() -> None:
    played = [change_level(TONE, seed) for seed in range(300)]

    gains = [20 * np.log10(one[10] / TONE[10]) for one in played if abs(one).max() < 0.999]
    assert GAIN_DB[0] - 0.1 < min(gains) < GAIN_DB[0] + 1 < 5 < max(gains) < 6.1  # 6: full scale
    assert all(
        crest_factor(one) == pytest.approx(3.0, abs=0.1) for one in played if one.max() < 0.99
    )
    loudest = min(played, key=crest_factor)
    assert crest_factor(loudest) < 0.5
    assert (loudest.min(), loudest.max()) == (-1.0, 32767 / 32768)


def test_samples_are_those_that_16_bits_hold() -> None:
    for seed in range(20):
        samples = change_level(TONE, seed) * 32768

        assert samples.dtype == np.float32
        assert np.array_equal(samples, np.rint(samples))
