"""Counts: how often each n-gram of a text occurs, found by sorting.

An n-gram is a number: the row of its context times the size of the vocabulary, plus its last word.
One sort per order groups equal n-grams, in the order of the model. The row found for each position
of the text is the context of the next order's n-gram there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asr.errors import DataError
from asr.lm.levels import Level, Mask, Rows, first_level
from asr.lm.vocabulary import START_ID

Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class CountedLevel:
    """The n-grams of one order and their counts, (n,)."""

    ngrams: Level
    counts: Counts


def count_ngrams(tokens: Rows, n_words: int, order: int) -> Iterator[CountedLevel]:
    """Count the n-grams of all orders within segments; `<s>` is only ever the first word.

    Args:
        tokens: (T,) int32 word ids, each segment from `<s>` to `</s>`.
        n_words: Above every id; each id below it gets a row of the first level.
        order: Of the longest n-grams, at least 1.

    Yields:
        A level for each order 1..order.
    """
    yield CountedLevel(first_level(n_words), np.bincount(tokens, minlength=n_words))
    rows = tokens
    for _ in range(1, order):
        level, rows = _extend(tokens, rows, n_words)
        yield level


def check_min_counts(min_counts: Sequence[int]) -> None:
    """Refuse least counts that would keep an n-gram without its context.

    Raises:
        DataError: There are none, or they fall from one order to the next.
    """
    if not min_counts or list(min_counts) != sorted(min_counts):
        raise DataError(
            f"expected least counts that do not fall from one order to the next, got {min_counts}"
        )


def kept_ngrams(
    levels: list[CountedLevel], n_words: int, min_counts: Sequence[int] = (1,)
) -> list[Mask]:
    """Choose the n-grams that a model will have.

    Args:
        levels: Of orders 1, 2, ...
        n_words: Size of the vocabulary; higher ids are words outside, which are dropped.
        min_counts: The least count of an n-gram for each order; the last one holds for longer ones
            too. Words of the vocabulary stay, however rare.

    Returns:
        For each level, (n,) which n-grams stay; their contexts and suffixes stay as well.

    Raises:
        DataError: As `check_min_counts`.
    """
    check_min_counts(min_counts)
    kept = [levels[0].ngrams.words < n_words]
    for i, level in enumerate(levels[1:], 1):
        is_known = kept[-1][level.ngrams.parents] & (level.ngrams.words < n_words)
        kept.append(is_known & (level.counts >= min_counts[min(i, len(min_counts) - 1)]))
    return kept


def context_probs(levels: list[CountedLevel], kept: list[Mask]) -> NDArray[np.float64]:
    """Compute how probable each node of the model is as the context of a word of the text, (N,)."""
    words = levels[0].counts
    n_predicted = words.sum() - words[START_ID]
    counts = [level.counts[keep] for level, keep in zip(levels, kept, strict=True)]
    return np.concatenate([[1.0], *(count / n_predicted for count in counts)])


def _extend(tokens: Rows, rows: Rows, n_words: int) -> tuple[CountedLevel, Rows]:
    """Count the n-grams of the next order; also return their rows by position, as `rows`.

    These are (T,), the row of the n-gram that ends there, or -1 where a segment is too short.
    """
    ends = 1 + np.flatnonzero((rows[:-1] >= 0) & (tokens[1:] != START_ID))
    keys = rows[ends - 1].astype(np.int64) * n_words + tokens[ends]
    order = np.argsort(keys)
    keys = keys[order]
    is_first = np.ones(len(keys), np.bool_)
    np.not_equal(keys[1:], keys[:-1], out=is_first[1:])
    firsts = np.flatnonzero(is_first)
    parents, words = np.divmod(keys[firsts], n_words)
    suffixes = rows[ends[order[firsts]]]
    counts = np.diff(firsts, append=len(keys))
    longer = np.full(len(rows), -1, np.int32)
    longer[ends[order]] = np.cumsum(is_first) - 1
    level = Level(parents.astype(np.int32), words.astype(np.int32), suffixes)
    return CountedLevel(level, counts), longer
