"""Quality: how well confidences say whether words are right.

A confidence can be wrong in two ways: what is said to be right seven times in ten is right more
often or less (it is not calibrated), or right and wrong words get the same (it does not tell them
apart). The calibration error measures the first, the area under the curve the second, the
normalised cross entropy both.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asr.confidence.calibration import MIN_DOUBT, Numbers

N_BINS = 10

Verdicts = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Bin:
    """Words with confidences between two neighbouring tenths.

    Attributes:
        share: Of all words.
        confidence: Mean of those in the bin; None if there are none.
        right: Share of those in the bin that are right; None if there are none.
    """

    share: float
    confidence: float | None
    right: float | None


def bins(confidences: Numbers, is_right: Verdicts) -> tuple[Bin, ...]:
    """Sort words, (N,), into `N_BINS` bins of equal width; 1.0 belongs to the last."""
    place = np.minimum((confidences * N_BINS).astype(np.int64), N_BINS - 1)
    return tuple(
        _bin(confidences[place == i], is_right[place == i], len(place)) for i in range(N_BINS)
    )


def calibration_error(confidences: Numbers, is_right: Verdicts) -> float:
    """Average the distance between the mean confidence and the share of right words in the bins.

    References:
        Guo et al., "On calibration of modern neural networks", ICML 2017, section 2 (ECE).
    """
    return sum(
        abs(one.confidence - one.right) * one.share
        for one in bins(confidences, is_right)
        if one.confidence is not None and one.right is not None
    )


def normalised_cross_entropy(confidences: Numbers, is_right: Verdicts) -> float | None:
    """Measure how much confidences tell beyond the share of right words.

    1 if each word is given its verdict; 0 for the share of right words as the confidence of all;
    below 0 where the confidences mislead. Confidences are kept `MIN_DOUBT` away from 0 and 1.

    Returns:
        None where all words are right or all are wrong: then there is nothing to tell.

    References:
        Siu, Gish and Richardson, "Improved estimation, evaluation and applications of confidence
        measures for speech recognition", Eurospeech 1997; NIST's sclite prints it as NCE.
    """
    share = float(is_right.mean())
    if share in {0.0, 1.0}:
        return None
    sure = np.clip(confidences, MIN_DOUBT, 1.0 - MIN_DOUBT)
    gained = np.where(is_right, np.log(sure), np.log1p(-sure)).mean()
    entropy = -share * np.log(share) - (1.0 - share) * np.log1p(-share)
    return float(1.0 + gained / entropy)


def area_under_curve(confidences: Numbers, is_right: Verdicts) -> float | None:
    """Compute how probably a right word has a higher confidence than a wrong one; equals half.

    Returns:
        None where all words are right or all are wrong.

    References:
        Fawcett, "An introduction to ROC analysis", Pattern Recognition Letters 27, 2006.
    """
    wrong, right = np.sort(confidences[~is_right]), confidences[is_right]
    if not len(wrong) or not len(right):
        return None
    below = np.searchsorted(wrong, right, "left") + np.searchsorted(wrong, right, "right")
    return float(below.mean() / 2.0 / len(wrong))


def _bin(confidences: Numbers, is_right: Verdicts, n_all: int) -> Bin:
    if not len(confidences):
        return Bin(0.0, None, None)
    return Bin(len(confidences) / n_all, float(confidences.mean()), float(is_right.mean()))
