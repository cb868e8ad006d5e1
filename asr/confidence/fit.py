"""Fit: the calibration that makes the labels of words most probable."""

import dataclasses

import numpy as np

from asr.confidence.calibration import Bools, Calibration, Floats, factors, probability
from asr.confidence.labels import LabelledWords

PRIOR_SPREAD = 1.0  # standard deviation of each exponent around that of the raw confidence
N_ITERATIONS = 100
TOLERANCE = 1e-9

_RAW = np.array(dataclasses.astuple(Calibration()))
_IS_NONNEGATIVE = np.array([0, 1, 1, 0, 0], np.bool_)


def fit(words: LabelledWords) -> Calibration:
    """Find the calibration of maximum posterior probability.

    The prior is a Gaussian around the raw confidence. The thousands of words of a dev set outweigh
    it; a few words change little, and words that are all correct or all wrong, for which the
    likelihood alone has no maximum, still give finite exponents.

    Args:
        words: At least one.
    """
    rows = factors(words.confidences, words.letters, words.seconds)  # (N, 5)
    labels = words.is_correct.astype(np.float64)
    is_free = np.ones(len(_RAW), np.bool_)
    while True:
        exponents = _most_probable(rows, labels, is_free)
        is_negative = _IS_NONNEGATIVE & (exponents < 0)
        if not is_negative.any():
            return Calibration(*exponents.tolist())
        is_free[np.argmin(np.where(is_negative, exponents, 0.0))] = False  # it stays 0


def cross_validated(words: LabelledWords) -> Floats | None:
    """Compute each word's probability by a calibration fitted on the other half of the groups.

    Groups are assigned to the two halves alternately.

    Returns:
        (N,), in the order of the words; None if all words are of one group.
    """
    place = {group: i for i, group in enumerate(sorted(set(words.groups)))}
    if len(place) < 2:
        return None
    is_second = np.array([place[group] % 2 for group in words.groups], np.bool_)
    result = np.empty(len(words))
    for is_held_out in (is_second, ~is_second):
        held_out = words[is_held_out]
        calibration = fit(words[~is_held_out])
        result[is_held_out] = calibration.probabilities(
            held_out.confidences, held_out.letters, held_out.seconds
        )
    return result


def _most_probable(rows: Floats, labels: Floats, is_free: Bools) -> Floats:
    """Find the maximum, the only one, by Newton's method; exponents that are not free are 0."""
    exponents = np.where(is_free, _RAW, 0.0)
    for _ in range(N_ITERATIONS):
        expected = probability(rows @ exponents)
        slope = rows.T @ (labels - expected) - (exponents - _RAW) / PRIOR_SPREAD**2
        curvature = (rows.T * (expected * (1.0 - expected))) @ rows
        curvature += np.eye(len(exponents)) / PRIOR_SPREAD**2
        step = np.zeros_like(exponents)
        step[is_free] = np.linalg.solve(curvature[np.ix_(is_free, is_free)], slope[is_free])
        before = _log_posterior(rows, labels, exponents)
        while _log_posterior(rows, labels, exponents + step) < before - TOLERANCE:
            step /= 2.0
        exponents = exponents + step
        if np.abs(step).max() < TOLERANCE:
            break
    return exponents


def _log_posterior(rows: Floats, labels: Floats, exponents: Floats) -> float:
    log_odds = rows @ exponents
    log_likelihood = labels @ log_odds - np.logaddexp(0.0, log_odds).sum()
    return float(log_likelihood - 0.5 * np.sum(((exponents - _RAW) / PRIOR_SPREAD) ** 2))
