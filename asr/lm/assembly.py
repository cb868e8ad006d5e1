"""Assembly: n-grams in any order become levels, sorted and without gaps.

Tools that prune leave n-grams whose context or suffix is gone. Such a gap is filled with the
probability that backing off gives it and a back-off weight of one, which changes no probability of
the model.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asr.errors import DataError
from asr.lm.levels import Level, Rows, find, first_level

Values = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Table:
    """The n-grams of one order, as listed in a file; logarithms are natural."""

    words: NDArray[np.int32]  # (n, order) ids
    log_probs: Values  # (n,); NaN for a gap to be filled
    backoffs: Values  # (n,); 0 for none

    @classmethod
    def empty(cls, order: int) -> "Table":
        """Make a table without n-grams."""
        no_values = np.zeros(0, np.float32)
        return cls(np.zeros((0, order), np.int32), no_values, no_values)

    def sorted(self) -> "Table":
        """Sort by the first word, then the second, and so on."""
        order = np.lexsort(self.words.T[::-1])
        return Table(self.words[order], self.log_probs[order], self.backoffs[order])

    def with_gaps(self, words: NDArray[np.int32]) -> "Table":
        """Add n-grams that the table lacks, (m, order); they can be repeated."""
        gaps = np.unique(words, axis=0)
        return Table(
            np.concatenate([self.words, gaps]),
            np.concatenate([self.log_probs, np.full(len(gaps), np.nan, np.float32)]),
            np.concatenate([self.backoffs, np.zeros(len(gaps), np.float32)]),
        )


def assemble(tables: list[Table]) -> tuple[list[Level], list[Table]]:
    """Sort n-grams into levels and fill the gaps.

    Args:
        tables: Of orders 1, 2, ...; the first has a row for each word, in the order of their ids.

    Returns:
        The levels, and the tables to match.

    Raises:
        DataError: An n-gram is there twice.
    """
    tables = [tables[0], *(table.sorted() for table in tables[1:])]
    levels = [first_level(len(tables[0].words))]
    while len(levels) < len(tables):
        order = len(levels) + 1
        words = tables[order - 1].words
        contexts = _find(levels, words[:, :-1])
        suffixes = _find(levels, words[:, 1:])
        gaps = np.concatenate([words[contexts < 0, :-1], words[suffixes < 0, 1:]])
        if len(gaps):  # the level below is made again; it can have new gaps
            tables[order - 2] = tables[order - 2].with_gaps(gaps).sorted()
            levels.pop()
        else:
            levels.append(Level(contexts, words[:, -1].copy(), suffixes))
            _refuse_repetition(levels[-1], order)
    return levels, _filled(levels, tables)


def _find(levels: list[Level], words: NDArray[np.int32]) -> Rows:
    """Find the rows of n-grams (n, len(levels)) in the last level; -1 for those it lacks."""
    rows = words[:, 0].copy()
    for below, level, last in zip(levels, levels[1:], words.T[1:], strict=False):
        find(level, len(below.words), rows, last.copy(), rows)
    return rows


def _refuse_repetition(level: Level, order: int) -> None:
    is_same = (np.diff(level.parents) == 0) & (np.diff(level.words) == 0)
    if is_same.any():
        raise DataError(f"expected each n-gram once, got {is_same.sum()} {order}-grams repeated")


def _filled(levels: list[Level], tables: list[Table]) -> list[Table]:
    """Compute the probabilities of the gaps, lowest order first."""
    filled = tables[:1]
    for level, table in zip(levels[1:], tables[1:], strict=True):
        below = filled[-1]
        by_backing_off = below.backoffs[level.parents] + below.log_probs[level.suffixes]
        log_probs = np.where(np.isnan(table.log_probs), by_backing_off, table.log_probs)
        filled.append(Table(table.words, log_probs, table.backoffs))
    return filled
