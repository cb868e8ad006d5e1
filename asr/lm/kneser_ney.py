"""Kneser-Ney: from counts to probabilities, modified and interpolated.

    P(w | h) = (a(h w) - D) / sum_v a(h v)  +  gamma(h) P(w | h')

a is the adjusted count: in the highest order, and after `<s>`, the count of the n-gram; otherwise
the number of different words before it. D, the discount, depends on the order and on whether a is
1, 2 or more. gamma(h) is the share that discounts took; h' is h without its first word. Single
words are interpolated with the uniform distribution over the vocabulary, without `<s>`.

References:
    Chen and Goodman, "An Empirical Study of Smoothing Techniques for Language Modeling", Harvard
    TR-10-98, 1998, equation 26.
    Heafield et al., "Scalable Modified Kneser-Ney Language Model Estimation", ACL 2013.
"""

import logging

import numpy as np
from numpy.typing import NDArray

from asr.lm.counts import CountedLevel, Counts
from asr.lm.levels import Level, Mask, select
from asr.lm.ngram import NGram
from asr.lm.vocabulary import START_ID, UNKNOWN_ID, Vocabulary

Probs = NDArray[np.float64]

FALLBACK = (0.0, 0.5, 1.0, 1.5)  # discounts if counts do not determine them, as lmplz's

_log = logging.getLogger(__name__)


def estimate(levels: list[CountedLevel], kept: list[Mask], vocabulary: Vocabulary) -> NGram:
    """Estimate a model from the counts of n-grams.

    The probability of n-grams that are not kept goes to backing off. Words that the text lacks, and
    `<unk>`, share what discounts take from the words that it has.

    Args:
        levels: Of orders 1, 2, ...
        kept: For each level, which n-grams the model will have (see `kept_ngrams`).
        vocabulary: The words of the model.
    """
    adjusted = adjusted_counts(levels)
    probs: Probs = np.array([1 / (len(vocabulary) - 1)])  # uniform, without <s>
    is_context: Mask = np.ones(1, np.bool_)
    log_probs, backoffs = [], []
    for order, (level, counts, keep) in enumerate(zip(levels, adjusted, kept, strict=True), 1):
        discount = discounts(counts, order)
        probs, gamma = _interpolate(level.ngrams, counts, keep, discount, probs)
        if order == 1:
            probs[START_ID] = 1.0  # it is given, not predicted
        log_probs.append(np.log(probs[keep]))
        backoffs.append(np.log(gamma[is_context]))
        is_context = keep
    ngrams = select([level.ngrams for level in levels], kept)
    return NGram.from_levels(vocabulary, ngrams, log_probs, backoffs[1:])


def _interpolate(
    ngrams: Level, counts: Counts, keep: Mask, discount: Probs, lower: Probs
) -> tuple[Probs, Probs]:
    """Compute the probability of each n-gram (n,) of an order, and each context's back-off weight.

    `counts` are adjusted, (n,); `discount`, (4,), is taken from counts of 0, 1, 2 and more; `lower`
    has the probabilities of the order below, by its rows.
    """
    n_contexts = len(lower)
    taken = np.where(keep, discount[np.minimum(counts, 3)], counts)
    total = np.bincount(ngrams.parents, counts, n_contexts)
    gamma = np.ones(n_contexts)
    np.divide(np.bincount(ngrams.parents, taken, n_contexts), total, out=gamma, where=total > 0)
    probs = (counts - taken) / total[ngrams.parents]
    probs += gamma[ngrams.parents] * lower[ngrams.suffixes]
    return probs, gamma


def adjusted_counts(levels: list[CountedLevel]) -> list[Counts]:
    """Count the different words before each n-gram; its occurrences if it never has one."""
    adjusted = []
    for level, longer in zip(levels, [*levels[1:], None], strict=True):
        counts = level.counts
        if longer is not None:
            n_before = np.bincount(longer.ngrams.suffixes, minlength=len(counts))
            counts = np.where(n_before > 0, n_before, counts)  # <s> has none
        adjusted.append(counts)
    adjusted[0] = adjusted[0].copy()
    adjusted[0][[UNKNOWN_ID, START_ID]] = 0
    return adjusted


def discounts(adjusted: Counts, order: int) -> Probs:
    """Estimate what to take from adjusted counts of 0, 1, 2 and more, (4,).

    If a text is too small or too regular for that, the fallback is used and logged.
    """
    n = np.bincount(np.minimum(adjusted, 5), minlength=6).astype(np.float64)
    if n[1:4].all():
        y = n[1] / (n[1] + 2 * n[2])
        found = np.array([0.0, *(j - (j + 1) * y * n[j + 1] / n[j] for j in (1, 2, 3))])
        if np.all(found[1:] > 0) and np.all(found <= np.arange(4)):
            return found
    _log.warning(
        "the text is too small or too regular to estimate the discounts of %d-grams: "
        "using 0.5, 1 and 1.5",
        order,
    )
    return np.array(FALLBACK)
