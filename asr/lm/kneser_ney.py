"""Kneser-Ney: from counts to probabilities, modified and interpolated.

    P(w | h) = (a(h w) - D) / sum_v a(h v)  +  gamma(h) P(w | h')

a is the adjusted count: in the highest order, and behind `<s>`, how often the n-gram occurs; else,
before how many different words. D depends on the order and on whether a is 1, 2 or more. gamma(h)
is what discounts have taken; h' is h without its first word. Single words are interpolated with
the uniform distribution over the vocabulary, `<s>` left out.

References:
    Chen and Goodman, "An Empirical Study of Smoothing Techniques for Language Modeling", Harvard
    TR-10-98, 1998, section 4.1.6 and equation 26.
    Heafield et al., "Scalable Modified Kneser-Ney Language Model Estimation", ACL 2013.
"""

import logging
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from asr.errors import DataError
from asr.lm.counts import CountedLevel, Counts
from asr.lm.levels import Level, Mask, select
from asr.lm.ngram import NGram
from asr.lm.vocabulary import START_ID, UNKNOWN_ID, Vocabulary

Probs = NDArray[np.float64]

FALLBACK = (0.0, 0.5, 1.0, 1.5)  # discounts where counts do not tell: lmplz's, if asked to go on

_log = logging.getLogger(__name__)


def estimate(
    levels: list[CountedLevel], vocabulary: Vocabulary, min_counts: Sequence[int] = ()
) -> NGram:
    """Estimate a model from the counts of n-grams.

    What n-grams with words outside the vocabulary, or seen too seldom, had goes to what their
    context backs off to.

    Args:
        levels: Of orders 1, 2, ...; word ids at or above `len(vocabulary)` are words outside.
        vocabulary: The words of the model. One that the text lacks has a share of what discounts
            take from words that it has, as `<unk>` does.
        min_counts: For each order, how often an n-gram must occur to stay; the last one is also
            that of longer n-grams. Words of the vocabulary always stay.

    Raises:
        DataError: `min_counts` fall, so that an n-gram would stay without its context.
    """
    kept = _kept(levels, len(vocabulary), min_counts)
    adjusted = adjusted_counts(levels)
    probs: Probs = np.array([1 / (len(vocabulary) - 1)])  # uniform, without <s>
    log_probs, backoffs = [], []
    for order, (level, counts, keep) in enumerate(zip(levels, adjusted, kept, strict=True), 1):
        discount = discounts(counts, order)
        probs, gamma = _interpolate(level.ngrams, counts, keep, discount, probs)
        backoffs.append(np.log(gamma if order == 1 else gamma[kept[order - 2]]))
        if order == 1:
            probs[START_ID] = 1.0  # never predicted; so is the probability of a segment that of all
        log_probs.append(np.log(probs[keep]))
    ngrams = select([level.ngrams for level in levels], kept)
    return NGram.from_levels(vocabulary, ngrams, log_probs, backoffs[1:])


def _kept(levels: list[CountedLevel], n_words: int, min_counts: Sequence[int]) -> list[Mask]:
    """Tell for each level which n-grams the model will have."""
    if list(min_counts) != sorted(min_counts):
        raise DataError(f"expected counts that do not fall with the order, got {min_counts}")
    kept = [levels[0].ngrams.words < n_words]
    for order, level in enumerate(levels[1:], 2):
        least = min_counts[min(order, len(min_counts)) - 1] if min_counts else 1
        in_vocabulary = kept[-1][level.ngrams.parents] & (level.ngrams.words < n_words)
        kept.append(in_vocabulary & (level.counts >= least))
    return kept


def _interpolate(
    ngrams: Level, counts: Counts, keep: Mask, discount: Probs, lower: Probs
) -> tuple[Probs, Probs]:
    """Compute the probability of each n-gram (n,) and of backing off in each context.

    Args:
        ngrams: The n-grams of an order.
        counts: (n,) adjusted.
        keep: (n,) which n-grams the model will have.
        discount: (4,) taken from counts of 0, 1, 2 and more.
        lower: Probabilities of the order below, by its rows.
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
    """Count what words an n-gram was seen behind, or how often, where that is what counts."""
    adjusted = []
    for level, longer in zip(levels, [*levels[1:], None], strict=True):
        counts = level.counts
        if longer is not None:
            n_before = np.bincount(longer.ngrams.suffixes, minlength=len(counts))
            counts = np.where(n_before > 0, n_before, counts)  # nothing stands before <s>
        adjusted.append(counts)
    adjusted[0] = adjusted[0].copy()
    adjusted[0][[UNKNOWN_ID, START_ID]] = 0
    return adjusted


def discounts(adjusted: Counts, order: int) -> Probs:
    """Estimate what to take from adjusted counts of 0, 1, 2 and more, (4,).

    Where a text is so small or artificial that counts of counts do not tell, the fallback is used
    and logged.
    """
    n = np.bincount(np.minimum(adjusted, 5), minlength=6).astype(np.float64)
    if n[1:4].all():
        y = n[1] / (n[1] + 2 * n[2])
        found = np.array([0.0, *(j - (j + 1) * y * n[j + 1] / n[j] for j in (1, 2, 3))])
        if np.all((found >= 0) & (found <= np.arange(4))):
            return found
    _log.warning(
        "the text is too small or too regular to tell the discounts of %d-grams: "
        "taking 0.5, 1 and 1.5",
        order,
    )
    return np.array(FALLBACK)
