"""Levels: the n-grams of each order, as arrays that refer to the order below.

An n-gram is the row of its context in the level below, and its last word:

    level 1   row 0 <unk>   row 1 <s>   row 2 </s>   row 3 A   row 4 B    (the row is the word's id)
    level 2   row 0 = (1, A): "<s> A"       row 1 = (3, B): "A B"         (parent, word)
    level 3   row 0 = (0, B): "<s> A B"

Rows are sorted by (parent, word), so those with the same context are consecutive. `suffixes` has
the row, in the level below, of the n-gram without its first word: that of "<s> A B" is 1, "A B".
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Level:
    """The n-grams of one order, sorted by (parent, word); parents and suffixes of words are 0."""

    parents: Rows  # (n,) row of the context in the level below
    words: Rows  # (n,) id of the last word
    suffixes: Rows  # (n,) row, in the level below, of the n-gram without its first word

    def __len__(self) -> int:
        """Count the n-grams."""
        return len(self.words)


def first_level(n_words: int) -> Level:
    """Make the level of single words; a word's row is its id."""
    root = np.zeros(n_words, np.int32)
    return Level(root, np.arange(n_words, dtype=np.int32), root)


def select(levels: list[Level], kept: list[Mask]) -> list[Level]:
    """Keep the marked n-grams of each level; their contexts and suffixes must be among them."""
    selected = []
    below: Rows = np.zeros(1, np.int32)  # new rows of the level below; of the root
    for level, keep in zip(levels, kept, strict=True):
        selected.append(
            Level(below[level.parents[keep]], level.words[keep], below[level.suffixes[keep]])
        )
        below = (np.cumsum(keep) - 1).astype(np.int32)
    return selected
