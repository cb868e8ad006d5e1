"""Joining: both utterances are there, with the gap that was foretold, and another level."""

import numpy as np
import pytest

from asr.augment.joining import GAPLESS_SHARE, LEVEL_DB, MAX_GAP_SECONDS, gap_seconds, join

RATE = 16000
FIRST = np.full(1000, 0.1, dtype=np.float32)
SECOND = np.full(2000, 0.2, dtype=np.float32)


@pytest.mark.parametrize("seed", range(20))
def test_both_are_there_with_a_gap_between(seed: int) -> None:
    joined = join(FIRST, SECOND, RATE, seed)

    n_gap = round(gap_seconds(seed) * RATE)
    assert joined.dtype == np.float32
    assert len(joined) == 1000 + n_gap + 2000
    assert np.array_equal(joined[:1000], FIRST)
    assert not joined[1000 : 1000 + n_gap].any()
    gain = joined[1000 + n_gap :] / SECOND
    assert np.ptp(gain) < 1e-6
    assert LEVEL_DB[0] <= 20 * np.log10(gain[0]) <= LEVEL_DB[1]


def test_gaps_are_drawn_up_to_the_longest_and_some_have_none() -> None:
    gaps = np.array([gap_seconds(seed) for seed in range(2000)])

    assert abs(np.mean(gaps == 0) - GAPLESS_SHARE) < 0.05
    assert 0.9 * MAX_GAP_SECONDS < gaps.max() <= MAX_GAP_SECONDS
