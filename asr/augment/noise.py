"""Noise: speech with a hiss, a rumble or a babble of other voices in the background.

Noise is cut at random from loops, which are made once: that is as good as new noise each time, and
costs next to nothing.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from asr.errors import DataError

SNR_DB = (0.0, 30.0)  # speech to noise, in power, drawn uniformly
TILT = (0.0, 2.0)  # power falls as frequency to this: 0 is white, 1 pink, 2 brown
FLAT_BELOW = 50.0  # Hz; otherwise a steep tilt would put all noise where nobody hears it
N_VOICES = (4, 10)  # of a babble, drawn uniformly: a single voice would be speech to transcribe

LOOP_SAMPLES = 1 << 18  # 16 s at 16 kHz
N_NOISE_LOOPS = 16
N_BABBLE_LOOPS = 32


def add_noise(
    waveform: NDArray[np.float32], loops: NDArray[np.float32], power: float, seed: int
) -> NDArray[np.float32]:
    """Add noise of a random level to a waveform, (N,).

    Args:
        waveform: (N,), pauses included.
        loops: (K, L), each of mean power 1; one is played from a random place on.
        power: Mean square of the speech; 0 adds nothing.
        seed: The only source of randomness, at least 0.
    """
    rng = np.random.default_rng(seed)
    snr = rng.uniform(*SNR_DB)
    return waveform + cut_noise(loops, len(waveform), power / 10 ** (snr / 10), rng)


def cut_noise(
    loops: NDArray[np.float32], n_samples: int, power: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Cut noise of a mean power, (N,), from a random place of a random loop of (K, L)."""
    loop = loops[rng.integers(len(loops))]
    start = int(rng.integers(len(loop)))
    n_rounds = -(-(start + n_samples) // len(loop))
    played = np.tile(loop, n_rounds) if n_rounds > 1 else loop
    return played[start : start + n_samples] * np.float32(power**0.5)


def noise_loops(sample_rate: int, seed: int) -> NDArray[np.float32]:
    """Make loops of noise from white to brown, (K, L)."""
    rng = np.random.default_rng(seed)
    tilts = np.linspace(*TILT, N_NOISE_LOOPS)
    return np.stack([coloured_noise(LOOP_SAMPLES, sample_rate, tilt, rng) for tilt in tilts])


def babble_loops(speech: Sequence[NDArray[np.float32]], seed: int) -> NDArray[np.float32]:
    """Mix loops of several voices at once, (K, L).

    Args:
        speech: Waveforms, (N,) each, of any lengths and levels; silent ones are left out.
        seed: The only source of randomness, at least 0.

    Raises:
        DataError: All of it is silent.
    """
    rng = np.random.default_rng(seed)
    voices = [own / np.float32(rms) for own in speech if (rms := mean_power(own) ** 0.5) > 0]
    if not voices:
        raise DataError(
            f"augment.babble_share needs speech to mix voices from, got {len(speech)} silent "
            "utterances: listen to the training set, or set it to 0"
        )
    loops = np.zeros((N_BABBLE_LOOPS, LOOP_SAMPLES), dtype=np.float32)
    for row in range(len(loops)):
        for _ in range(rng.integers(N_VOICES[0], N_VOICES[1] + 1)):
            loops[row] += _one_voice(voices, rng)
        loops[row] /= np.float32(mean_power(loops[row]) ** 0.5)
    return loops


def coloured_noise(
    n_samples: int, sample_rate: int, tilt: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Make noise of mean power 1 that falls as frequency to the power of `tilt`, (N,).

    Its end continues at its beginning if N is a power of 2.
    """
    n_fft = 1 << (n_samples - 1).bit_length()  # other lengths take up to ten times as long
    spectrum = np.fft.rfft(rng.standard_normal(n_fft, dtype=np.float32))
    frequencies = np.fft.rfftfreq(n_fft, 1 / sample_rate)
    spectrum *= ((np.maximum(frequencies, FLAT_BELOW) / FLAT_BELOW) ** (-tilt / 2)).astype("f4")
    noise: NDArray[np.float32] = np.fft.irfft(spectrum, n_fft)[:n_samples].astype(np.float32)
    return noise / np.float32(max(mean_power(noise), 1e-12) ** 0.5)


def mean_power(waveform: NDArray[np.float32]) -> float:
    """Return the mean square, summed in one order whatever the number of threads."""
    return float(np.square(waveform).mean(dtype=np.float64))


def _one_voice(
    voices: Sequence[NDArray[np.float32]], rng: np.random.Generator
) -> NDArray[np.float32]:
    """String utterances together until they fill a loop."""
    parts, n_samples = [], 0
    while n_samples < LOOP_SAMPLES:
        parts.append(voices[int(rng.integers(len(voices)))])
        n_samples += len(parts[-1])
    joined = np.concatenate(parts)[:LOOP_SAMPLES]
    return np.roll(joined, rng.integers(LOOP_SAMPLES))
