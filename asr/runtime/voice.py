"""Voice: where a recording may have speech, whatever a network makes of it.

A sound with one spectrum says nothing, however it swells: silence, hum, hiss, clicks, a chord. Its
spectrogram is a spectrum times a loudness curve, a matrix of rank one. Speech goes from one
spectrum to another several times a second. So what tells speech apart is its change: the share of
the spectrogram's energy that the best matrix of rank one leaves over. In windows of 1.5 s it is

    below 0.0005    in digital silence, hum, clicks and a chord
    0.002 to 0.006  in white and pink noise
    above 0.02      in 99.5 % of clean speech, and of speech with white noise 5 dB below it

Level does not matter. Sounds that change their spectrum, as music does, are left to the network.
"""

from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from asr.audio.decoder import Waveform
from asr.runtime.engine import Engine

MIN_CHANGE = 0.012  # see above
WINDOW, WINDOW_SHIFT = 1.5, 0.25  # seconds
SHORTEST = 0.25  # seconds: less is too little to tell

FRAME_LENGTH, FRAME_SHIFT = 0.032, 0.02  # seconds
N_BANDS = 16
LOWEST, HIGHEST = 100.0, 7000.0  # Hz
SMOOTHING = 5  # frames that power is averaged over, since that of noise varies
LOUDNESS = 0.3  # power law from power to loudness, as in hearing

_BLOCK = 512  # frames at once, which stay in the cache

Stretches = NDArray[np.float64]  # (n, 2), start and end in seconds, in order and apart


class VoicedEngine:
    """An engine that is sure of blanks where there is no speech, whatever its network says.

    Args:
        engine: Computes the network.
        frame_shift: Seconds from one frame of its output to the next.
    """

    def __init__(self, engine: Engine, frame_shift: float) -> None:
        self._engine, self._frame_shift = engine, frame_shift
        self.sample_rate, self.heads = engine.sample_rate, engine.heads

    def log_probs(
        self, waveforms: NDArray[np.float32], lengths: NDArray[np.int64], head: str
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Score every token at every frame, as `Engine.log_probs`."""
        log_probs, frame_lengths = self._engine.log_probs(waveforms, lengths, head)
        for emission, waveform, length in zip(log_probs, waveforms, lengths, strict=True):
            stretches = voiced_stretches(waveform[:length], self.sample_rate)
            blank_outside(emission, stretches, self._frame_shift)
        return log_probs, frame_lengths


def voiced_stretches(waveform: Waveform, sample_rate: int) -> Stretches:
    """Find where there may be speech.

    A window is judged by its own samples and, for the average over frames, 0.04 s around them.

    Args:
        waveform: (N,), at any level.
        sample_rate: Hz.

    Returns:
        All stretches that a window with enough change covers; one over everything, if the recording
        is too short to tell.
    """
    duration = len(waveform) / sample_rate
    if duration < SHORTEST:
        return np.array([[0.0, duration]])
    loudness = _loudness(waveform, sample_rate)  # (T, N_BANDS)
    starts, n = _windows(len(loudness))
    is_voiced = change([loudness[start : start + n] for start in starts]) > MIN_CHANGE
    begins = starts[is_voiced] * FRAME_SHIFT
    ends = begins + n * FRAME_SHIFT
    ends[starts[is_voiced] + n >= len(loudness)] = duration  # the samples after the last frame
    is_first = np.append(True, begins[1:] > ends[:-1])[: len(begins)]
    is_last = np.append(is_first[1:], True)[: len(begins)]
    return np.stack([begins[is_first], ends[is_last]], axis=1)


def change(windows: Sequence[NDArray[np.float32]]) -> NDArray[np.float64]:
    """Measure which share of each, (T, F), is not a spectrum times a loudness curve, 0 to 1."""
    grams = np.stack([window.T @ window for window in windows]).astype(np.float64)
    energies = np.trace(grams, axis1=1, axis2=2)  # the squares of all singular values
    greatest = np.linalg.eigvalsh(grams)[:, -1]
    changes: NDArray[np.float64] = 1.0 - greatest / np.where(energies > 0, energies, np.inf)
    return np.where(energies > 0, changes, 0.0)


def blank_outside(log_probs: NDArray[np.float32], stretches: Stretches, frame_shift: float) -> None:
    """Make the blank (token 0) certain, in place, in all frames that touch none of the stretches.

    Args:
        log_probs: (T, V), natural log.
        stretches: See `voiced_stretches`.
        frame_shift: Seconds from one frame to the next.
    """
    frames = np.arange(len(log_probs)) * frame_shift
    first = np.searchsorted(stretches[:, 1], frames, side="right")  # the first that ends later
    begins = np.append(stretches[:, 0], np.inf)[first]
    is_silent = begins >= frames + frame_shift
    log_probs[is_silent] = -np.inf
    log_probs[is_silent, 0] = 0.0


def _windows(n_frames: int) -> tuple[NDArray[np.int64], int]:
    """Return where windows start, so that they cover all frames, and how many each has."""
    n = min(n_frames, round(WINDOW / FRAME_SHIFT))
    starts = (np.arange(0.0, n_frames - n + 1, WINDOW_SHIFT / FRAME_SHIFT)).astype(np.int64)
    return np.unique(np.append(starts, n_frames - n)), n


def _loudness(waveform: Waveform, sample_rate: int) -> NDArray[np.float32]:
    """Compute the loudness of each band, (T, N_BANDS), averaged over frames."""
    length, shift = round(FRAME_LENGTH * sample_rate), round(FRAME_SHIFT * sample_rate)
    frames = sliding_window_view(waveform, length)[::shift]
    taper = np.hanning(length).astype(np.float32)
    edges = _band_edges(length, sample_rate)
    power = np.empty((len(frames), N_BANDS), np.float32)
    for first in range(0, len(frames), _BLOCK):
        spectrum = np.fft.rfft(frames[first : first + _BLOCK] * taper)
        squares = spectrum.real**2 + spectrum.imag**2
        sums = np.add.reduceat(squares, edges, axis=1)[:, :N_BANDS]
        power[first : first + _BLOCK] = sums / np.diff(edges)
    padded = np.pad(power, ((SMOOTHING // 2, SMOOTHING // 2), (0, 0)), mode="edge")
    smooth: NDArray[np.float32] = sliding_window_view(padded, SMOOTHING, axis=0).mean(axis=2)
    return smooth**LOUDNESS


def _band_edges(length: int, sample_rate: int) -> NDArray[np.int64]:
    """Divide the bins of a spectrum into bands of equal width on the mel scale."""
    highest = min(HIGHEST, 0.45 * sample_rate)
    mels = np.linspace(np.log1p(LOWEST / 700), np.log1p(highest / 700), N_BANDS + 1)
    bins = np.round(np.expm1(mels) * 700 * length / sample_rate).astype(np.int64)
    edges: NDArray[np.int64] = np.maximum(bins, bins[0] + np.arange(N_BANDS + 1))
    return edges  # at least one bin each
