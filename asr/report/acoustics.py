"""Acoustics: how loud recordings are, and how far their speech stands above their noise."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asr.corpus.loader import prefetch, read_utterance
from asr.corpus.utterance import Utterance, evenly
from asr.errors import AudioError

SAMPLE_RATE = 16_000  # Hz
FRAME = 320  # samples, 20 ms
N_MEASURED = 2_000  # utterances at most, evenly spread: a figure needs no more
READ_AHEAD = 8  # recordings
FLOOR = 1e-10  # power of a sample, -100 dB: digital silence is no quieter
SPEECH, PAUSE = 0.9, 0.1  # quantiles of the frames' power


@dataclass(frozen=True, slots=True)
class Acoustics:
    """Of one recording: its level in dB below full scale, and its signal-to-noise ratio in dB."""

    level: float
    snr: float


def measure(waveform: NDArray[np.float32]) -> Acoustics | None:
    """Measure a waveform, (N,) at `SAMPLE_RATE`; None if it is shorter than a frame.

    The level is that of the mean power; the ratio that of a loud frame (90th percentile) to a quiet
    one (10th), which takes pauses for noise.
    """
    n_frames = len(waveform) // FRAME
    if not n_frames:
        return None
    frames = waveform[: n_frames * FRAME].astype(np.float64).reshape(n_frames, FRAME)
    powers = np.maximum((frames**2).mean(axis=1), FLOOR)
    speech, pause = np.quantile(powers, [SPEECH, PAUSE])
    return Acoustics(float(10 * np.log10(powers.mean())), float(10 * np.log10(speech / pause)))


def measure_all(utterances: Sequence[Utterance], *, n_threads: int = 1) -> dict[str, Acoustics]:
    """Measure at most `N_MEASURED` recordings, by utterance id; unreadable ones are left out."""
    chosen = evenly(utterances, N_MEASURED)
    found = prefetch(_measure, chosen, depth=READ_AHEAD, n_threads=n_threads)
    return {name: acoustics for name, acoustics in found if acoustics is not None}


def _measure(utterance: Utterance) -> tuple[str, Acoustics | None]:
    try:
        return utterance.id, measure(read_utterance(utterance, SAMPLE_RATE))
    except AudioError:
        return utterance.id, None
