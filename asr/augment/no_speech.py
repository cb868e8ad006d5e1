"""No speech: silence and sounds of which a model must learn to transcribe nothing."""

import numpy as np
from numpy.typing import NDArray

from asr.augment.noise import TILT, coloured_noise, mean_power

SECONDS = (2.0, 12.0)  # drawn uniformly
LEVEL_DB = (-70.0, -10.0)  # mean power relative to full scale, drawn uniformly
MAINS = (50.0, 60.0)  # Hz
N_HARMONICS = 12  # of hum and of notes
CLICKS_PER_SECOND = (0.5, 20.0)  # drawn uniformly
CLICK_SECONDS = (0.0005, 0.01)  # in which a click decays to a third, drawn uniformly
CHORD_SECONDS = (0.2, 2.0)  # drawn uniformly for each
NOTES = (36, 84)  # lowest and highest, as MIDI numbers them


def no_speech_seconds(seed: int) -> float:
    """Draw the duration of `no_speech`."""
    return float(np.random.default_rng(seed).uniform(*SECONDS))


def no_speech(sample_rate: int, seed: int) -> NDArray[np.float32]:
    """Make a sound that is no speech: silence, noise, hum, clicks or music.

    Returns:
        (N,) float32 in [-1, 1], as long as `no_speech_seconds(seed)`.
    """
    n_samples = round(no_speech_seconds(seed) * sample_rate)
    rng = np.random.default_rng(seed + 1)
    kinds = (_silence, _noise, _hum, _clicks, _music)
    sound = kinds[rng.integers(len(kinds))](n_samples, sample_rate, rng)
    power = 10 ** (rng.uniform(*LEVEL_DB) / 10)
    gain = (power / max(mean_power(sound), 1e-12)) ** 0.5
    return (sound * np.float32(gain)).clip(-1.0, 1.0)


def _silence(n_samples: int, _: int, __: np.random.Generator) -> NDArray[np.float32]:
    return np.zeros(n_samples, dtype=np.float32)


def _noise(n_samples: int, sample_rate: int, rng: np.random.Generator) -> NDArray[np.float32]:
    return coloured_noise(n_samples, sample_rate, rng.uniform(*TILT), rng)


def _hum(n_samples: int, sample_rate: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Play the mains and its harmonics."""
    return _note(rng.choice(MAINS), n_samples, sample_rate, rng)


def _clicks(n_samples: int, sample_rate: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Play short bursts of noise at random times."""
    decay = rng.uniform(*CLICK_SECONDS) * sample_rate
    envelope = np.exp(-np.arange(round(5 * decay)) / decay)
    sound = np.zeros(n_samples, dtype=np.float32)
    n_clicks = 1 + rng.poisson(rng.uniform(*CLICKS_PER_SECOND) * n_samples / sample_rate)
    for start in rng.integers(n_samples, size=n_clicks):
        place = sound[start : start + len(envelope)]
        place += rng.exponential() * (envelope * rng.standard_normal(len(envelope)))[: len(place)]
    return sound


def _music(n_samples: int, sample_rate: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Play chords of one to four notes, one after another, each struck and dying away."""
    sound = np.zeros(n_samples, dtype=np.float32)
    start = 0
    while start < n_samples:
        n_own = min(n_samples - start, round(rng.uniform(*CHORD_SECONDS) * sample_rate))
        seconds = np.arange(n_own) / sample_rate
        envelope = (1 - np.exp(-seconds / 0.01)) * np.exp(-seconds / rng.uniform(*CHORD_SECONDS))
        for note in rng.integers(*NOTES, size=rng.integers(1, 5)):
            frequency = 440.0 * 2 ** ((note - 69) / 12)
            sound[start : start + n_own] += envelope * _note(frequency, n_own, sample_rate, rng)
        start += n_own
    return sound


def _note(
    frequency: float, n_samples: int, sample_rate: int, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Play a note and its harmonics, of random strengths."""
    phase = 2 * np.pi * frequency / sample_rate * np.arange(n_samples)
    sound = np.zeros(n_samples)
    for harmonic in range(1, N_HARMONICS + 1):
        strength, offset = rng.exponential() / harmonic, rng.uniform(0.0, 2 * np.pi)
        if harmonic * frequency < sample_rate / 2:
            sound += strength * np.sin(harmonic * phase + offset)
    return sound.astype(np.float32)
