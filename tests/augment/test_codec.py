import numpy as np
import pytest
from numpy.typing import NDArray

from asr.augment.codec import MP3_LEVELS, through_mp3
from asr.augment.config import MP3_SAMPLE_RATES

SAMPLE_RATE = 16000


def chirp() -> NDArray[np.float32]:
    """Two seconds that rise from 100 to 3000 Hz."""
    seconds = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    return (0.3 * np.sin(2 * np.pi * (100 * seconds + 725 * seconds**2))).astype(np.float32)


@pytest.mark.parametrize("setting", range(len(MP3_LEVELS)))
def test_a_codec_keeps_the_sound_its_place_and_its_length(setting: int) -> None:
    waveform = chirp()

    decoded = through_mp3(waveform, SAMPLE_RATE, setting)

    assert decoded.shape == waveform.shape
    assert decoded.dtype == np.float32
    error = (decoded - waveform)[1000:-1000]
    assert np.square(error).mean() < 0.05 * np.square(waveform).mean()  # a sample off: 0.2 and more


@pytest.mark.parametrize(("setting", "cutoff"), [(0, 5300), (1, 6300), (2, 7500)])
def test_a_codec_takes_away_what_lies_high(setting: int, cutoff: int) -> None:
    noise = (0.1 * np.random.default_rng(0).standard_normal(SAMPLE_RATE)).astype(np.float32)

    decoded = through_mp3(noise, SAMPLE_RATE, setting)

    before, after = (np.square(abs(np.fft.rfft(x)))[cutoff:].mean() for x in (noise, decoded))
    assert after < 0.01 * before


@pytest.mark.parametrize("n_samples", [1, 100, 1151, 1153])
def test_the_shortest_waveforms_keep_their_length(n_samples: int) -> None:
    for setting in range(len(MP3_LEVELS)):
        silence = np.zeros(n_samples, dtype=np.float32)
        assert through_mp3(silence, SAMPLE_RATE, setting).shape == (n_samples,)


@pytest.mark.parametrize("sample_rate", MP3_SAMPLE_RATES)
def test_every_rate_that_mp3_has_can_be_encoded(sample_rate: int) -> None:
    assert through_mp3(np.zeros(2000, dtype=np.float32), sample_rate, 0).shape == (2000,)
