"""Fit: the calibration under which what became of judged words is most probable."""

import dataclasses

import numpy as np

from asr.confidence.calibration import Calibration, Numbers, factors, probability
from asr.confidence.judged import JudgedWords
from asr.confidence.quality import Verdicts

PRIOR_SPREAD = 1.0  # of each exponent around that of the search's own odds
N_ITERATIONS = 100
TOLERANCE = 1e-9

_SEARCHS_OWN = np.array(dataclasses.astuple(Calibration()))
_NEVER_BELOW_ZERO = np.array([0, 1, 1, 0, 0], np.bool_)


def fit(words: JudgedWords) -> Calibration:
    """Find the calibration by maximum likelihood, with a prior that holds it where little is known.

    The prior is a Gaussian around the search's own odds. A dev set's thousands of words outweigh
    it; a few words change little, and words that are all right or all wrong, without which the
    likelihood would grow for ever, give finite exponents, too.

    Args:
        words: At least one.
    """
    rows = factors(words.confidences, words.letters, words.seconds)  # (N, 5)
    is_right = words.is_right.astype(np.float64)
    is_free = np.ones(len(_SEARCHS_OWN), np.bool_)
    while True:
        exponents = _most_probable(rows, is_right, is_free)
        is_wrong = _NEVER_BELOW_ZERO & (exponents < 0)
        if not is_wrong.any():
            return Calibration(*exponents.tolist())
        is_free[np.argmin(np.where(is_wrong, exponents, 0.0))] = False  # and stays at 0


def cross_validated(words: JudgedWords) -> Numbers | None:
    """Compute each word's probability by what was fitted on the speakers of the other half.

    Speakers (or utterances, where not all are known) are put into two halves in turn.

    Returns:
        (N,), in the order of the words; None where all words have one source.
    """
    place = {source: i for i, source in enumerate(sorted(set(words.sources)))}
    if len(place) < 2:
        return None
    is_second = np.array([place[source] % 2 for source in words.sources], np.bool_)
    result = np.empty(len(words))
    for chosen in (is_second, ~is_second):
        unseen = words[chosen]
        calibration = fit(words[~chosen])
        result[chosen] = calibration.probabilities(
            unseen.confidences, unseen.letters, unseen.seconds
        )
    return result


def _most_probable(rows: Numbers, is_right: Numbers, is_free: Verdicts) -> Numbers:
    """Climb to the only top by Newton's method; exponents that are not free are 0."""
    exponents = np.where(is_free, _SEARCHS_OWN, 0.0)
    for _ in range(N_ITERATIONS):
        expected = probability(rows @ exponents)
        slope = rows.T @ (is_right - expected) - (exponents - _SEARCHS_OWN) / PRIOR_SPREAD**2
        curvature = (rows.T * (expected * (1.0 - expected))) @ rows
        curvature += np.eye(len(exponents)) / PRIOR_SPREAD**2
        step = np.zeros_like(exponents)
        step[is_free] = np.linalg.solve(curvature[np.ix_(is_free, is_free)], slope[is_free])
        before = _log_posterior(rows, is_right, exponents)
        while _log_posterior(rows, is_right, exponents + step) < before - TOLERANCE:
            step /= 2.0
        exponents = exponents + step
        if np.abs(step).max() < TOLERANCE:
            break
    return exponents


def _log_posterior(rows: Numbers, is_right: Numbers, exponents: Numbers) -> float:
    log_odds = rows @ exponents
    log_likelihood = is_right @ log_odds - np.logaddexp(0.0, log_odds).sum()
    return float(log_likelihood - 0.5 * np.sum(((exponents - _SEARCHS_OWN) / PRIOR_SPREAD) ** 2))
