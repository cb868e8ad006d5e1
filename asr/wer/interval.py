"""Interval: bootstrap confidence intervals of error rates, and of the difference between two.

Errors of one speaker are correlated, so whole speakers are resampled if there are enough of them;
resampling utterances would then give an interval that is too narrow.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from asr.wer.score import Score

LEVEL = 0.95  # share of the replicates inside an interval
MIN_SPEAKERS = 10  # with fewer, utterances are resampled instead
N_REPLICATES = 10_000  # between seeds, an end moves by about 1 % of the interval's width
_MIN_REPLICATES = 1_000  # if there is much to resample; an end then moves by about 3 %
_MAX_DRAWS = 2 * 10**7  # numbers to draw altogether
_AT_ONCE = 2 * 10**6  # numbers held in memory together

Rate = Literal["wer", "cer", "ser"]
RATES: tuple[Rate, ...] = ("wer", "cer", "ser")


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval of a rate, or of the difference of two.

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


@dataclass(frozen=True, slots=True)
class Groups:
    """What a bootstrap resamples.

    Attributes:
        kind: "speakers" or "utterances".
        sums: (groups, columns) int64, of each; the last column is what rates are divided by.
    """

    kind: str
    sums: NDArray[np.int64]


def rate_interval(score: Score, rate: Rate) -> Interval | None:
    """Estimate the interval of an error rate on other speech of the same kind.

    Each replicate draws as many speakers as the subset has (utterances, if there are fewer than
    `MIN_SPEAKERS` or one is unknown), with replacement; the interval holds the middle `LEVEL` of
    the replicates' rates. The same score gives the same interval.

    Args:
        score: A subset's score.
        rate: By words, by characters, or by utterances.

    Returns:
        The interval; None if a rate or its spread is undefined: fewer than two speakers or
        utterances, or nothing in the references.

    References:
        Bisani and Ney, "Bootstrap estimates for confidence intervals in ASR performance
        evaluation", ICASSP 2004.
    """
    groups = group(score, errors_and_units(score, rate))
    return interval_of(replicate_rates(groups)[:, 0], groups)


def errors_and_units(score: Score, rate: Rate) -> NDArray[np.int64]:
    """List what an error rate is of, (utterances, 2): errors, and units of the reference."""
    if rate == "ser":
        rows = [(int(u.words.errors > 0), 1) for u in score.utterances]
    else:
        counts = [u.words if rate == "wer" else u.characters for u in score.utterances]
        rows = [(count.errors, count.n_reference) for count in counts]
    return np.array(rows, np.int64).reshape(-1, 2)


def group(score: Score, rows: NDArray[np.int64]) -> Groups:
    """Sum rows of utterances by speaker, if enough speakers are known, and all of them.

    Args:
        score: Names the speakers.
        rows: (utterances, columns).
    """
    speakers = [utterance.speaker for utterance in score.utterances]
    numbers = {speaker: i for i, speaker in enumerate(dict.fromkeys(speakers))}
    if None in numbers or len(numbers) < MIN_SPEAKERS:
        return Groups("utterances", rows)
    sums = np.zeros((len(numbers), rows.shape[1]), np.int64)
    np.add.at(sums, [numbers[speaker] for speaker in speakers], rows)
    return Groups("speakers", sums)


def replicate_rates(groups: Groups, *, n_replicates: int = N_REPLICATES) -> NDArray[np.float64]:
    """Compute the rates of bootstrap replicates; fewer if there is much to resample.

    Equal groups are drawn together: how often each kind comes is multinomial, so that a million
    utterances of a word each cost no more than a few.

    Returns:
        (replicates, columns - 1): each column's sum divided by the last one's. Replicates in which
        the last one's sum is 0 are left out.
    """
    kinds, n_each = np.unique(groups.sums, axis=0, return_counts=True)
    n_groups = len(groups.sums)
    n = min(n_replicates, max(_MIN_REPLICATES, _MAX_DRAWS // len(kinds)))
    generator = np.random.default_rng(0)
    at_once = max(1, _AT_ONCE // len(kinds))
    sums = np.concatenate(
        [
            generator.multinomial(n_groups, n_each / n_groups, min(at_once, n - begin)) @ kinds
            for begin in range(0, n, at_once)
        ]
    )  # (replicates, columns)
    sums = sums[sums[:, -1] > 0]
    rates: NDArray[np.float64] = sums[:, :-1] / sums[:, -1:]
    return rates


def interval_of(values: NDArray[np.float64], groups: Groups) -> Interval | None:
    """Take the middle of the replicates' values; None if there are fewer than two groups."""
    if len(groups.sums) < 2 or not values.size:
        return None
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(low), float(high), groups.kind, len(groups.sums), len(values))
