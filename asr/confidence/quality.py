"""Quality: how well confidences predict whether words are correct.

Confidences can fail in two ways: of the words with a confidence of 0.7, more or fewer than seven in
ten are correct (they are not calibrated), or correct and wrong words get the same confidence (they
do not discriminate). The calibration error measures the first, the area under the curve the second,
the normalised cross entropy both.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asr.confidence.calibration import MIN_DOUBT, Bools, Floats

N_BINS = 10


@dataclass(frozen=True, slots=True)
class Bin:
    """Words with confidences between two successive tenths.

    Attributes:
        share: Share of all words that are in the bin.
        confidence: Mean confidence in the bin; None if it is empty.
        correct: Share of correct words in the bin; None if it is empty.
    """

    share: float
    confidence: float | None
    correct: float | None


def bins(confidences: Floats, is_correct: Bools) -> tuple[Bin, ...]:
    """Sort words, (N,), into `N_BINS` bins."""
    bin_of = bin_numbers(confidences)
    return tuple(
        _bin(confidences[bin_of == i], is_correct[bin_of == i], len(bin_of)) for i in range(N_BINS)
    )


def bin_numbers(confidences: Floats) -> NDArray[np.int64]:
    """Find each word's bin, (N,): they are equally wide, and 1.0 belongs to the last."""
    numbers: NDArray[np.int64] = np.minimum((confidences * N_BINS).astype(np.int64), N_BINS - 1)
    return numbers


def calibration_error(confidences: Floats, is_correct: Bools) -> float:
    """Average the distance between mean confidence and share of correct words over the bins.

    References:
        Guo et al., "On calibration of modern neural networks", ICML 2017, section 2 (ECE).
    """
    return sum(
        abs(one.confidence - one.correct) * one.share
        for one in bins(confidences, is_correct)
        if one.confidence is not None and one.correct is not None
    )


def normalised_cross_entropy(confidences: Floats, is_correct: Bools) -> float | None:
    """Measure how much confidences tell beyond the overall share of correct words.

    1 if every confidence is the word's label; 0 if all are the share of correct words; negative if
    they mislead. Confidences are kept `MIN_DOUBT` away from 0 and 1.

    Returns:
        None if all words are correct or all are wrong, which leaves nothing to predict.

    References:
        Siu, Gish and Richardson, "Improved estimation, evaluation and applications of confidence
        measures for speech recognition", Eurospeech 1997; NIST's sclite prints it as NCE.
    """
    share = float(is_correct.mean())
    if share in {0.0, 1.0}:
        return None
    clipped = np.clip(confidences, MIN_DOUBT, 1.0 - MIN_DOUBT)
    gained = np.where(is_correct, np.log(clipped), np.log1p(-clipped)).mean()
    entropy = -share * np.log(share) - (1.0 - share) * np.log1p(-share)
    return float(1.0 + gained / entropy)


def area_under_curve(confidences: Floats, is_correct: Bools) -> float | None:
    """Compute how often a correct word has a higher confidence than a wrong one; ties count half.

    Returns:
        None if all words are correct or all are wrong.

    References:
        Fawcett, "An introduction to ROC analysis", Pattern Recognition Letters 27, 2006.
    """
    wrong, correct = np.sort(confidences[~is_correct]), confidences[is_correct]
    if not len(wrong) or not len(correct):
        return None
    below = np.searchsorted(wrong, correct, "left") + np.searchsorted(wrong, correct, "right")
    return float(below.mean() / 2.0 / len(wrong))


def _bin(confidences: Floats, is_correct: Bools, n_all: int) -> Bin:
    if not len(confidences):
        return Bin(0.0, None, None)
    return Bin(len(confidences) / n_all, float(confidences.mean()), float(is_correct.mean()))
