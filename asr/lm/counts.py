"""Counts: how often each n-gram of a text occurs, found by sorting on disk.

An n-gram is a number: the row of its context times the size of the vocabulary, plus its last word.
The numbers of a stretch of the text are sorted and written as a *run*. Runs are merged part by
part, each for some of the contexts; that makes equal n-grams neighbours, in the order of the model.
The row found for each position of the text is the context of the next order's n-gram there.

So memory holds the text, twice, and the n-grams of all orders, but no more of their occurrences
than `RUN` at a time.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile, gettempdir
from typing import IO

import numpy as np
from numpy.typing import NDArray

from asr.errors import DataError
from asr.lm.levels import Level, Mask, Rows, find, first_level
from asr.lm.vocabulary import START_ID

RUN = 1 << 25  # n-grams that are sorted at a time, 8 bytes each

Counts = NDArray[np.int32]
Keys = NDArray[np.int64]
Progress = Callable[[int], None]  # takes the number of tokens done since the last call


@dataclass(frozen=True, slots=True)
class CountedLevel:
    """The n-grams of one order and their counts, (n,)."""

    ngrams: Level
    counts: Counts


def count_ngrams(
    tokens: Rows,
    n_words: int,
    order: int,
    *,
    folder: Path | None = None,
    progress: Progress = lambda _n_tokens: None,
) -> Iterator[CountedLevel]:
    """Count the n-grams of all orders within segments; `<s>` is only ever the first word.

    Args:
        tokens: (T,) int32 word ids, each segment from `<s>` to `</s>`.
        n_words: Above every id; each id below it gets a row of the first level.
        order: Of the longest n-grams, at least 1.
        folder: Of the runs: 8 bytes a token, until the order is counted (default: the system's
            folder of temporary files).
        progress: Called as tokens are sorted, T of them for each order above 1.

    Yields:
        A level for each order 1..order.
    """
    counts = np.bincount(tokens, minlength=n_words).astype(np.int32)
    level = CountedLevel(first_level(n_words), counts)
    yield level
    rows, below = tokens.copy(), Level(*np.zeros((3, 1), np.int32))
    for longer in range(2, order + 1):
        with _scratch_file(folder) as file:
            runs = _Runs(file, tokens, rows, n_words, level.counts, progress)
            if longer == order:
                del rows  # no order follows
            below, level = level.ngrams, runs.merge(below, level.ngrams)
        if longer < order:
            find(level.ngrams, len(below.words), rows[:-1], tokens[1:], rows[1:])
            rows[0] = -1
        yield level


@contextmanager
def _scratch_file(folder: Path | None) -> Iterator[IO[bytes]]:
    """Open a temporary file in a folder, by default the system's; errors name the folder."""
    try:
        with TemporaryFile(dir=folder) as file:
            yield file
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(folder or gettempdir())) from error


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


def context_probs(levels: list[CountedLevel], kept: list[Mask]) -> NDArray[np.float32]:
    """Compute how probable each node of the model is as the context of a word of the text.

    Returns:
        (N_inner,) of the nodes below the highest order.
    """
    words = levels[0].counts
    n_predicted = words.sum(dtype=np.int64) - words[START_ID]
    below_top = zip(levels[:-1], kept, strict=False)
    counts = [level.counts[keep].astype(np.float32) for level, keep in below_top]
    return np.concatenate([np.ones(1, np.float32), *(count / n_predicted for count in counts)])


class _Runs:
    """Sorted runs of the n-grams of one order, in a file."""

    def __init__(
        self,
        file: IO[bytes],
        tokens: Rows,
        rows: Rows,
        n_words: int,
        context_counts: Counts,
        progress: Progress,
    ) -> None:
        """Write the runs.

        Args:
            file: Receives them.
            tokens: (T,) the text.
            rows: (T,) of the contexts: row t of the one that ends at position t, or -1.
            n_words: Above every id.
            context_counts: How often each context occurs, of which parts are made.
            progress: Called for each run.
        """
        self._file, self._n_words = file, n_words
        ends = np.cumsum(context_counts, dtype=np.int64)
        size = int(ends[-1]) if len(ends) else 0
        parts = np.searchsorted(ends, np.arange(RUN, size, RUN))  # each part's first context
        self._splits: list[NDArray[np.intp]] = []  # by run and part: where it begins in the file
        n_written = 0
        for start in range(1, len(tokens), RUN):
            words = tokens[start : start + RUN]
            contexts = rows[start - 1 :][: len(words)]
            is_ngram = (contexts >= 0) & (words != START_ID)
            keys = contexts[is_ngram].astype(np.int64) * n_words + words[is_ngram]
            keys.sort()
            file.write(keys.data)
            bounds = np.searchsorted(keys, parts * n_words)
            self._splits.append(n_written + np.array([0, *bounds, len(keys)]))
            n_written += len(keys)
            progress(len(words))

    def merge(self, two_below: Level, below: Level) -> CountedLevel:
        """Make a level of all runs; `below` has the contexts, `two_below` theirs."""
        found: list[list[Rows]] = [[], [], []]
        for keys in self._parts():
            is_first = np.ones(len(keys), np.bool_)
            np.not_equal(keys[1:], keys[:-1], out=is_first[1:])
            firsts = np.flatnonzero(is_first)
            columns = *np.divmod(keys[firsts], self._n_words), np.diff(firsts, append=len(keys))
            for pieces, column in zip(found, columns, strict=True):
                pieces.append(column.astype(np.int32))
        parents, words, counts = map(_drain, found)
        suffixes = below.suffixes[parents]
        find(below, len(two_below.words), suffixes, words, suffixes)
        return CountedLevel(Level(parents, words, suffixes), counts)

    def _parts(self) -> Iterator[Keys]:
        """Read the n-grams of some contexts from all runs, sorted; then those of the next ones."""
        for part in range(max((len(splits) - 1 for splits in self._splits), default=0)):
            pieces = []
            for splits in self._splits:
                self._file.seek(int(splits[part]) * 8)
                size = int(splits[part + 1] - splits[part])
                pieces.append(np.frombuffer(self._file.read(size * 8), np.int64))
            keys = np.concatenate(pieces)
            keys.sort()
            yield keys


def _drain(parts: list[Rows]) -> Rows:
    """Join arrays and forget the parts."""
    joined = np.concatenate([np.zeros(0, np.int32), *parts])
    parts.clear()
    return joined
