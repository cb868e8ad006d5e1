"""Interval: the bootstrap confidence interval of a word error rate.

Errors of one speaker are correlated, so whole speakers are resampled if there are enough of them;
resampling utterances would then give an interval that is too narrow.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asr.wer.alignment import Counts
from asr.wer.score import Score

MIN_SPEAKERS = 10  # with fewer, utterances are resampled instead
N_REPLICATES = 10_000  # between seeds, an end moves by about 1 % of the interval's width
_AT_ONCE = 500  # replicates held in memory together


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval of a word error rate.

    Attributes:
        low: Lower end, a fraction.
        high: Upper end, a fraction.
        resampled: "speakers" or "utterances", `n_resampled` in each of `n_replicates`.
    """

    low: float
    high: float
    resampled: str
    n_resampled: int
    n_replicates: int


def wer_interval(
    score: Score, *, level: float = 0.95, n_replicates: int = N_REPLICATES, seed: int = 0
) -> Interval | None:
    """Estimate the interval of the WER on other speech of the same kind.

    Each replicate draws as many speakers as the subset has (utterances, if fewer than
    `MIN_SPEAKERS` are known), with replacement; the interval holds the middle `level` of the
    replicates' WERs. Same score and seed, same interval.

    Args:
        score: A subset's score.
        level: Share of the replicates inside, 0 < level < 1.
        n_replicates: Number of bootstrap replicates.
        seed: Of the random draws.

    Returns:
        The interval; None if a WER or its spread is undefined: fewer than two speakers or
        utterances, or no reference words in them.

    References:
        Bisani and Ney, "Bootstrap estimates for confidence intervals in ASR performance
        evaluation", ICASSP 2004.
    """
    speakers = _speakers(score)
    counts = speakers or [utterance.words for utterance in score.utterances]
    rates = _replicate_rates(counts, n_replicates, seed)
    if len(counts) < 2 or not rates.size:
        return None
    low, high = np.quantile(rates, [(1 - level) / 2, (1 + level) / 2])
    resampled = "speakers" if speakers else "utterances"
    return Interval(float(low), float(high), resampled, len(counts), n_replicates)


def _speakers(score: Score) -> list[Counts]:
    """Return the counts of each speaker; none if too few are known, or not all."""
    speakers = score.by_speaker().values()
    n_known = sum(speaker.n_utterances for speaker in speakers)
    if len(speakers) < MIN_SPEAKERS or n_known < len(score.utterances):
        return []
    return [speaker.words for speaker in speakers]


def _replicate_rates(counts: Sequence[Counts], n_replicates: int, seed: int) -> NDArray[np.float64]:
    """Compute the WER of each replicate: (n_replicates,), fewer if some have no words."""
    generator = np.random.default_rng(seed)
    errors_and_words = np.array([(c.errors, c.n_reference) for c in counts])  # (n, 2)
    sizes = [min(_AT_ONCE, n_replicates - start) for start in range(0, n_replicates, _AT_ONCE)]
    sums = np.concatenate(
        [
            errors_and_words[generator.integers(len(counts), size=(size, len(counts)))].sum(axis=1)
            for size in sizes
        ]
    )  # (n_replicates, 2)
    errors, words = sums[sums[:, 1] > 0].T
    rates: NDArray[np.float64] = errors / words
    return rates
