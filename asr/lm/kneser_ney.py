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

from asr.compiled import compiled
from asr.lm.counts import CountedLevel, Counts
from asr.lm.levels import Level, Mask, Rows
from asr.lm.ngram import NGram
from asr.lm.vocabulary import START_ID, UNKNOWN_ID, Vocabulary

Probs = NDArray[np.float32]

FALLBACK = (0.0, 0.5, 1.0, 1.5)  # discounts if counts do not determine them, as lmplz's

_LOG = logging.getLogger(__name__)


def estimate(levels: list[CountedLevel], kept: list[Mask], vocabulary: Vocabulary) -> NGram:
    """Estimate a model from the counts of n-grams.

    The probability of n-grams that are not kept goes to backing off. Words that the text lacks, and
    `<unk>`, share what discounts take from the words that it has.

    Args:
        levels: Of orders 1, 2, ...; the list is emptied, so that memory holds them only once.
        kept: For each level, which n-grams the model will have (see `kept_ngrams`).
        vocabulary: The words of the model.
    """
    lower = np.array([1 / (len(vocabulary) - 1)], np.float32)  # uniform, without <s>
    is_context: Mask = np.ones(1, np.bool_)
    rows: Rows = np.zeros(1, np.int32)
    ngrams, log_probs, backoffs = [], [], []
    for order, keep in enumerate(kept, 1):
        counts = _adjusted_counts(levels, order)
        parents, words, suffixes = levels.pop(0).ngrams
        probs, gamma = np.empty(len(keep), np.float32), np.ones(len(lower), np.float32)
        level = Level(parents, words, suffixes)
        _interpolate(level, counts, keep, discounts(counts, order), lower, probs, gamma)
        del level, counts  # each array goes as soon as it can: there are gigabytes
        if order == 1:
            probs[START_ID] = 1.0  # it is given, not predicted
        lower = probs
        backoffs.append(np.log(gamma[is_context]))
        is_context = keep
        log_probs.append(probs[keep])
        np.log(log_probs[-1], out=log_probs[-1])
        del gamma, probs
        words = words[keep]
        parents = parents[keep]
        parents = rows[parents]
        suffixes = suffixes[keep]
        suffixes = rows[suffixes]
        ngrams.append(Level(parents, words, suffixes))
        if order < len(kept):
            rows = np.cumsum(keep, dtype=np.int32) - np.int32(1)
        del parents, suffixes, words
    del lower, rows
    return NGram.from_levels(vocabulary, ngrams, log_probs, backoffs[1:])


@compiled
def _interpolate(
    ngrams: Level,
    counts: Counts,
    keep: Mask,
    discount: NDArray[np.float64],
    lower: Probs,
    probs: Probs,
    gamma: Probs,
) -> None:
    """Compute the probability of each n-gram of an order, and each context's back-off weight.

    `counts` are adjusted, (n,); `discount`, (4,), is taken from counts of 0, 1, 2 and more; `lower`
    has the probabilities of the order below, by its rows. Fills `probs`, (n,), and `gamma`.
    """
    start = 0
    while start < len(counts):
        context, end = ngrams.parents[start], start
        total = taken = 0.0
        while end < len(counts) and ngrams.parents[end] == context:
            total += counts[end]
            taken += discount[min(counts[end], 3)] if keep[end] else counts[end]
            end += 1
        if total > 0.0:
            gamma[context] = taken / total
        for i in range(start, end):
            left = counts[i] - discount[min(counts[i], 3)] if keep[i] else 0.0
            probs[i] = left / total + taken / total * lower[ngrams.suffixes[i]]
        start = end


def _adjusted_counts(levels: list[CountedLevel], order: int) -> Counts:
    """Count the different words before each n-gram; its occurrences if it never has one.

    Args:
        levels: Those of an order and of the next one come first.
        order: Of the n-grams.
    """
    counts = levels[0].counts
    if len(levels) > 1:
        n_before = np.zeros(len(counts), np.int32)
        _count(levels[1].ngrams.suffixes, n_before)
        counts = np.where(n_before > 0, n_before, counts)  # <s> has none
    if order == 1:
        counts = counts.copy()
        counts[[UNKNOWN_ID, START_ID]] = 0
    return counts


@compiled
def _count(rows: Rows, times: Rows) -> None:
    for row in rows:
        times[row] += 1


def discounts(adjusted: Counts, order: int) -> NDArray[np.float64]:
    """Estimate what to take from adjusted counts of 0, 1, 2 and more, (4,).

    If a text is too small or too regular for that, the fallback is used and logged.
    """
    n = np.array([float(np.count_nonzero(adjusted == count)) for count in range(5)])
    if n[1:4].all():
        y = n[1] / (n[1] + 2 * n[2])
        found = np.array([0.0, *(j - (j + 1) * y * n[j + 1] / n[j] for j in (1, 2, 3))])
        if np.all(found[1:] > 0) and np.all(found <= np.arange(4)):
            return found
    _LOG.warning(
        "the text is too small or too regular to estimate the discounts of %d-grams: "
        "using 0.5, 1 and 1.5",
        order,
    )
    return np.array(FALLBACK)
