"""Joining: two utterances become one recording, in which the speaker and the level change."""

import numpy as np
from numpy.typing import NDArray

MAX_GAP_SECONDS = 3.0  # of digital silence between the two
GAPLESS_SHARE = 0.3  # of joints where one follows the other at once
LEVEL_DB = (-15.0, 15.0)  # of the second relative to how it was recorded, drawn uniformly


def follower(n_utterances: int, seed: int) -> int:
    """Draw the index of the utterance that follows."""
    return int(np.random.default_rng(seed).integers(n_utterances))


def gap_seconds(seed: int) -> float:
    """Draw the duration of the pause between."""
    rng = np.random.default_rng(seed + 1)
    return 0.0 if rng.random() < GAPLESS_SHARE else float(rng.uniform(0.0, MAX_GAP_SECONDS))


def join(
    first: NDArray[np.float32], second: NDArray[np.float32], sample_rate: int, seed: int
) -> NDArray[np.float32]:
    """Join two waveforms, (N,) and (M,) float32 at `sample_rate` Hz, the second at another level.

    Returns:
        (N + gap + M,) float32, with a gap of `gap_seconds(seed)`; it may exceed [-1, 1].
    """
    gap = np.zeros(round(gap_seconds(seed) * sample_rate), dtype=np.float32)
    gain = 10 ** (np.random.default_rng(seed + 2).uniform(*LEVEL_DB) / 20)
    return np.concatenate([first, gap, second * np.float32(gain)])
