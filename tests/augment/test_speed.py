"""Speed perturbation changes tempo and pitch together, and nothing else."""

import numpy as np
import pytest
from numpy.typing import NDArray

from asr.augment.speed import change_speed

RATE = 16000


def tone(frequency: float, n_samples: int = RATE) -> NDArray[np.float32]:
    return (0.5 * np.sin(2 * np.pi * frequency * np.arange(n_samples) / RATE)).astype(np.float32)


@pytest.mark.parametrize("factor", [0.9, 1.1, 0.5, 2.0])
def test_a_tone_is_raised_by_the_factor(factor: float) -> None:
    faster = change_speed(tone(440), RATE, factor)

    wanted = tone(440 * factor, len(faster))
    assert abs(faster - wanted)[500:-500].max() < 1e-3


@pytest.mark.parametrize("factor", [0.9, 1.1, 0.95, 1 / 3])
@pytest.mark.parametrize("n_samples", [1, 2, 3, 400, 1001, 15999, 80005])
def test_the_length_is_divided_by_the_factor_and_rounded(n_samples: int, factor: float) -> None:
    faster = change_speed(tone(440, n_samples), RATE, factor)

    assert faster.dtype == np.float32
    assert faster.shape == (round(n_samples / factor),)


def test_speed_one_is_the_waveform_itself() -> None:
    waveform = tone(440)

    assert change_speed(waveform, RATE, 1.0) is waveform


def test_the_waveform_itself_stays_as_it_is() -> None:
    waveform = tone(440)

    change_speed(waveform, RATE, 0.9)

    assert np.array_equal(waveform, tone(440))
