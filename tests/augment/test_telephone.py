import numpy as np
import pytest
from numpy.typing import NDArray

from asr.augment.telephone import BAND, through_telephone

RATE = 16000


def noise(n_samples: int = 4 * RATE) -> NDArray[np.float32]:
    return (0.1 * np.random.default_rng(0).standard_normal(n_samples)).astype(np.float32)


def test_what_is_left_is_the_band() -> None:
    waveform = noise()

    received = through_telephone(waveform, RATE)

    sent, left = (np.fft.rfft(x) for x in (waveform, received))
    bins = np.arange(len(sent)) / 4  # Hz
    low, high = BAND

    def gain(start: float, end: float) -> float:
        """Of what is sent, in decibels; noise of the coding is not correlated with it."""
        here = (bins >= start) & (bins < end)
        return float(
            20 * np.log10(abs(np.vdot(sent[here], left[here])) / np.vdot(*[sent[here]] * 2).real)
        )

    assert gain(low + 200, high - 200) == pytest.approx(0.0, abs=0.2)
    assert gain(low - 20, low + 20) == pytest.approx(-6.0, abs=1.0)
    assert gain(high - 20, high + 20) == pytest.approx(-6.0, abs=1.0)
    assert gain(0, 80) < -25
    assert gain(4100, 8000) < -40


def test_eight_bits_of_mu_law_are_heard_as_noise_at_38_db_whatever_the_level() -> None:
    """G.711's signal to noise is 35 to 39 dB over 40 dB of level."""
    tone = np.sin(2 * np.pi * 1013.0 * np.arange(RATE) / RATE)
    for level in (0.01, 0.1, 0.9):
        waveform = (level * tone).astype(np.float32)

        error = (through_telephone(waveform, RATE) - waveform)[2000:-2000]

        snr = 10 * np.log10(np.square(waveform).mean() / np.square(error).mean())
        assert 32 < snr < 42


@pytest.mark.parametrize("n_samples", [1, 2, 100, 15999])
@pytest.mark.parametrize("sample_rate", [8000, 11025, 16000, 44100])
def test_every_length_is_kept(n_samples: int, sample_rate: int) -> None:
    received = through_telephone(noise(n_samples), sample_rate)

    assert received.shape == (n_samples,)
    assert received.dtype == np.float32
    assert np.isfinite(received).all()


def test_what_is_too_loud_is_clipped() -> None:
    assert abs(through_telephone(noise() * 100, RATE)).max() < 3
