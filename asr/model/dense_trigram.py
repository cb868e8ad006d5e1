"""A trigram over few tokens, as one array: for phones, of which there are some forty."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

BORDER = 0  # stands for what is before the first token and after the last one


def dense_trigram(sequences: Iterable[Sequence[int]], n_tokens: int) -> NDArray[np.float64]:
    """Estimate how probable each token is after any two, by Witten and Bell's interpolation.

    Args:
        sequences: Token ids from 1 to n_tokens - 1.
        n_tokens: V, `BORDER` included.

    Returns:
        (V, V, V), all above zero: [a, b, c] is the probability of c after a and b, and of the end
        where c is `BORDER`. At the beginning, a and b, or a alone, are `BORDER`.

    References:
        Chen and Goodman, "An empirical study of smoothing techniques for language modeling",
        Computer Speech & Language 1999, section 2.5.
    """
    counts = np.zeros((n_tokens, n_tokens, n_tokens))
    for sequence in sequences:
        padded = np.array([BORDER, BORDER, *sequence, BORDER])
        np.add.at(counts, (padded[:-2], padded[1:-1], padded[2:]), 1.0)
    pairs, single = counts.sum(axis=0), counts.sum(axis=(0, 1))
    probs = np.full(n_tokens, 1.0 / n_tokens)
    for level in (single, pairs, counts):
        probs = _interpolate(level, probs)
    return probs


def _interpolate(counts: NDArray[np.float64], lower: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give unseen tokens as much as there are kinds of seen ones, shared by the lower order."""
    total = counts.sum(axis=-1, keepdims=True)
    n_kinds = (counts > 0).sum(axis=-1, keepdims=True)
    shared = (counts + n_kinds * lower) / np.maximum(total + n_kinds, 1.0)
    return np.where(total > 0, shared, lower)
