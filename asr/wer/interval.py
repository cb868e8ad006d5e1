"""How far a word error rate could be chance: the bootstrap over speakers or utterances.

Errors of one speaker go together, so whole speakers are drawn where there are enough of them; to
draw utterances would then give an interval that is too narrow.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from asr.wer.alignment import Counts
from asr.wer.score import Score

MIN_SPEAKERS = 10  # with fewer, drawing speakers says little; utterances are drawn instead
REPLICATES = 10_000  # moves an end of the interval by about 1 % of its width between seeds
_AT_ONCE = 500  # replicates held in memory together


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval of a word error rate.

    Attributes:
        low: Lower end, a fraction.
        high: Upper end, a fraction.
        drawn: What was drawn anew: whole speakers, or utterances.
        n_drawn: How many of them there are, and are drawn each time.
        replicates: How often they were drawn.
    """

    low: float
    high: float
    drawn: Literal["speakers", "utterances"]
    n_drawn: int
    replicates: int


def wer_interval(
    score: Score, *, level: float = 0.95, replicates: int = REPLICATES, seed: int = 0
) -> Interval | None:
    """Estimate the interval in which the WER of other speech of the same kind would lie.

    The subset's speakers (or, where fewer than `MIN_SPEAKERS` are known, its utterances) are drawn
    with replacement, as many as there are, and the WER is taken of each drawn set; the interval
    holds the middle `level` of these. Same score and seed, same interval.

    Args:
        score: A subset's score.
        level: Share of the replicates inside, 0 < level < 1.
        replicates: How many sets are drawn.
        seed: Of the drawing.

    Returns:
        The interval; None where a WER or its spread is undefined: less than two speakers or
        utterances, or no reference words in them.

    References:
        Bisani and Ney, "Bootstrap estimates for confidence intervals in ASR performance
        evaluation", ICASSP 2004.
    """
    speakers = _speakers(score)
    counts = speakers or [utterance.words for utterance in score.utterances]
    rates = _drawn_rates(counts, replicates, seed)
    if len(counts) < 2 or not rates.size:
        return None
    low, high = np.quantile(rates, [(1 - level) / 2, (1 + level) / 2])
    drawn: Literal["speakers", "utterances"] = "speakers" if speakers else "utterances"
    return Interval(float(low), float(high), drawn, len(counts), replicates)


def _speakers(score: Score) -> list[Counts]:
    """Take the counts of each speaker; none if too few are known, or not all."""
    speakers = score.by_speaker().values()
    n_known = sum(speaker.n_utterances for speaker in speakers)
    if len(speakers) < MIN_SPEAKERS or n_known < len(score.utterances):
        return []
    return [speaker.words for speaker in speakers]


def _drawn_rates(counts: Sequence[Counts], replicates: int, seed: int) -> NDArray[np.float64]:
    """Take the WER of sets drawn from `counts`: (replicates,), fewer if some draw no words."""
    generator = np.random.default_rng(seed)
    errors_and_words = np.array([(c.errors, c.n_reference) for c in counts])  # (n, 2)
    sums = np.concatenate(
        [
            errors_and_words[generator.integers(len(counts), size=(size, len(counts)))].sum(axis=1)
            for size in _sizes(replicates)
        ]
    )  # (replicates, 2)
    errors, words = sums[sums[:, 1] > 0].T
    rates: NDArray[np.float64] = errors / words
    return rates


def _sizes(replicates: int) -> list[int]:
    """Cut the replicates into parts that fit in memory."""
    whole, rest = divmod(replicates, _AT_ONCE)
    return [_AT_ONCE] * whole + ([rest] if rest else [])
