import numpy as np
import pytest
from numpy.typing import NDArray

from asr.augment.noise import (
    LOOP_SAMPLES,
    SNR_DB,
    TILT,
    add_noise,
    babble_loops,
    cut_noise,
    mean_power,
    noise_loops,
)
from asr.errors import DataError

RATE = 16000
LOOPS = noise_loops(RATE, seed=0)


def tone(n_samples: int = 4 * RATE, frequency: float = 440.0) -> NDArray[np.float32]:
    return (0.1 * np.sin(2 * np.pi * frequency * np.arange(n_samples) / RATE)).astype(np.float32)


def test_the_measured_level_is_spread_evenly_over_the_range() -> None:
    speech = tone()
    power = mean_power(speech)

    levels = [
        10 * np.log10(power / mean_power(add_noise(speech, LOOPS, power, seed) - speech))
        for seed in range(200)
    ]

    low, high = SNR_DB
    assert low - 1 < min(levels) < low + 2  # a cut of brown noise is not as loud as its loop
    assert high - 2 < max(levels) < high + 1
    assert np.mean(levels) == pytest.approx((low + high) / 2, abs=2)


def test_the_colour_goes_from_white_to_brown() -> None:
    power = np.square(abs(np.fft.rfft(LOOPS)))
    bin_width = RATE / LOOP_SAMPLES
    octaves = [
        power[:, round(f / bin_width) : round(2 * f / bin_width)].mean(1) for f in (100, 3200)
    ]

    slopes = np.log2(octaves[0] / octaves[1]) / 5

    assert slopes == pytest.approx(np.linspace(*TILT, len(LOOPS)), abs=0.02)


def test_a_cut_beyond_the_end_of_a_loop_goes_on_at_its_beginning() -> None:
    loop = np.arange(100, dtype=np.float32)[None]

    cut = cut_noise(loop, 350, 4.0, np.random.default_rng(0))

    assert np.array_equal(cut, 2 * ((cut[0] / 2 + np.arange(350)) % 100))


def test_babble_has_all_voices_and_is_none_of_them() -> None:
    """Each voice is a tone of its own; a loop has several, none of them much louder."""
    pitches = [200.0 + 50 * k for k in range(40)]
    speech = [tone(2 * RATE, pitch) * np.float32(k + 1) for k, pitch in enumerate(pitches)]

    loops = babble_loops([*speech, np.zeros(100, dtype=np.float32)], seed=0)

    second = loops[:, :RATE]  # which a voice spends with one utterance or two
    spectra = np.square(abs(np.fft.rfft(second)))[:, [round(pitch) for pitch in pitches]]
    shares = spectra / spectra.sum(1, keepdims=True)
    assert np.square(loops).mean(1) == pytest.approx(1.0, abs=1e-3)
    assert shares.max() < 0.75
    assert ((shares > 0.02).sum(1) >= 3).all()
    assert (shares.max(0) > 0.02).all()


def test_babble_of_silence_is_refused() -> None:
    with pytest.raises(DataError, match="got 1 silent utterances"):
        babble_loops([np.zeros(5, dtype=np.float32)], seed=0)


def test_loops_follow_from_the_seed() -> None:
    speech = [tone(1000), tone(3000, 300.0)]

    assert np.array_equal(LOOPS, noise_loops(RATE, seed=0))
    assert not np.array_equal(LOOPS, noise_loops(RATE, seed=1))
    assert np.array_equal(babble_loops(speech, seed=2), babble_loops(speech, seed=2))


def test_silence_stays_silent() -> None:
    silence = np.zeros(RATE, dtype=np.float32)

    assert np.array_equal(add_noise(silence, LOOPS, 0.0, seed=0), silence)


@pytest.mark.parametrize("n_samples", [1, 2, 3, 400, 15999, 2 * LOOP_SAMPLES])
def test_every_length_is_kept_and_the_waveform_itself_stays_as_it_is(n_samples: int) -> None:
    waveform = tone(n_samples)

    noisy = add_noise(waveform, LOOPS, 0.1, seed=3)

    assert noisy.shape == (n_samples,)
    assert noisy.dtype == np.float32
    assert np.isfinite(noisy).all()
    assert np.array_equal(waveform, tone(n_samples))
