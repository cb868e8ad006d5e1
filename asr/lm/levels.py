"""Levels: the n-grams of each order, as arrays that refer to the order below.

An n-gram is the row of its context in the level below, and its last word:

    level 1   row 0 <unk>   row 1 <s>   row 2 </s>   row 3 A   row 4 B    (the row is the word's id)
    level 2   row 0 = (1, A): "<s> A"       row 1 = (3, B): "A B"         (parent, word)
    level 3   row 0 = (0, B): "<s> A B"

Rows are sorted by (parent, word), so those with the same context are consecutive. `suffixes` has
the row, in the level below, of the n-gram without its first word: that of "<s> A B" is 1, "A B".
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from asr.compiled import compiled

Rows = NDArray[np.int32]
Mask = NDArray[np.bool_]


class Level(NamedTuple):
    """The n-grams of one order, sorted by (parent, word); parents and suffixes of words are 0."""

    parents: Rows  # (n,) row of the context in the level below
    words: Rows  # (n,) id of the last word
    suffixes: Rows  # (n,) row, in the level below, of the n-gram without its first word


def first_level(n_words: int) -> Level:
    """Make the level of single words; a word's row is its id."""
    root = np.zeros(n_words, np.int32)
    return Level(root, np.arange(n_words, dtype=np.int32), root)


def find(level: Level, n_contexts: int, parents: Rows, words: Rows, found: Rows) -> None:
    """Find the rows of n-grams by context and last word, (n,); -1 for those that a level lacks.

    Args:
        level: Of the n-grams.
        n_contexts: Number of rows in the level below.
        parents: Rows of the contexts in the level below; -1 has no n-gram.
        words: The last words.
        found: Receives the rows; it may be `parents`, also shifted by one towards the end.
    """
    starts = np.searchsorted(level.parents, np.arange(n_contexts + 1, dtype=np.int32))
    _find(starts.astype(np.int32), level.words, parents, words, found)


@compiled
def find_word(words: Rows, low: int, end: int, word: int) -> int:
    """Find a word among sorted ones, words[low:end], by bisection; -1 if it is not there."""
    high = end
    while low < high:
        middle = (low + high) // 2
        if words[middle] < word:
            low = middle + 1
        else:
            high = middle
    return low if low < end and words[low] == word else -1


@compiled
def _find(starts: Rows, words: Rows, parents: Rows, wanted: Rows, found: Rows) -> None:
    for i in range(len(wanted) - 1, -1, -1):  # from the end: see `found`
        row = -1
        if parents[i] >= 0:
            low, end = int(starts[parents[i]]), int(starts[parents[i] + 1])
            row = find_word(words, low, end, int(wanted[i]))
        found[i] = row
