"""NGram: a back-off n-gram model as a few flat arrays.

Every n-gram of every order is a *node*. Node 0 is the empty context, the root; then come the
single words in the order of their ids, then the pairs, and so on, within an order sorted by
(parent, word). The parent of a node is its n-gram without the last word; the children of a node
follow one another.

    node           0     1      2    3     4   5      6        7        8
    n-gram         root  <unk>  <s>  </s>  A   B      <s> A    A B      <s> A B
    words          -1    0      1    2     3   4      3        4        4
    first_child    1     6      6    7     7   8      8        9  (9)
    suffixes       0     0      0    0     0   0      4        5        7

The children of node i are first_child[i] .. first_child[i + 1] - 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asr.errors import DataError
from asr.lm.levels import Level, Mask, select
from asr.lm.vocabulary import END_ID, START_ID, Vocabulary

ROOT = 0

_MAX_NODES = 2**31  # what int32 can number

Number = TypeVar("Number", np.int32, np.uint32, np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class NGram:
    """A back-off n-gram model.

    Attributes:
        vocabulary: The V words by id.
        words: (N,) int32, the last word of each node; -1 for the root.
        log_probs: (N,) float32, natural log of P(last word | words before it); 0 for the root.
        backoffs: (N_inner,) float32, natural log of the back-off weight of each node below the
            highest order; 0 for the root.
        first_child: (N_inner + 1,) uint32, node from which on the children of each node lie.
        suffixes: (N,) int32, the node of the n-gram without its first word; the root for words.
    """

    vocabulary: Vocabulary
    words: NDArray[np.int32]
    log_probs: NDArray[np.float32]
    backoffs: NDArray[np.float32]
    first_child: NDArray[np.uint32]
    suffixes: NDArray[np.int32]

    @classmethod
    def from_levels(
        cls,
        vocabulary: Vocabulary,
        levels: Sequence[Level],
        log_probs: Sequence[NDArray[np.floating]],
        backoffs: Sequence[NDArray[np.floating]],
    ) -> "NGram":
        """Join the levels of all orders; empty ones at the end are left out.

        Args:
            vocabulary: The words; the first level has a row for each.
            levels: Of orders 1, 2, ...
            log_probs: For each level, (n,), natural log.
            backoffs: For each level but the last, (n,), natural log.

        Raises:
            DataError: There are more n-grams than can be numbered.
        """
        levels = [level for level in levels if len(level)]
        starts = np.cumsum([0, 1, *map(len, levels)])  # of each order, 0 included
        if starts[-1] > _MAX_NODES:
            raise DataError(f"expected at most {_MAX_NODES} n-grams, got {starts[-1]}: prune more")
        sizes = np.diff(starts)
        n_children = [
            np.bincount(level.parents, minlength=size)
            for level, size in zip(levels, sizes, strict=False)
        ]
        suffixes = [
            level.suffixes + np.int32(start) for level, start in zip(levels, starts, strict=False)
        ]
        return cls(
            vocabulary,
            words=_join([[-1], *(level.words for level in levels)], np.int32),
            log_probs=_join([[0], *log_probs[: len(levels)]], np.float32),
            backoffs=_join([[0], *backoffs[: len(levels) - 1]], np.float32),
            first_child=np.cumsum(_join([[1], *n_children], np.uint32), dtype=np.uint32),
            suffixes=_join([[0], *suffixes], np.int32),
        )

    @property
    def order(self) -> int:
        """Length of the longest n-grams."""
        return len(self.starts) - 2

    @property
    def starts(self) -> list[int]:
        """First node of each order from 0 on, and behind them the number of nodes."""
        starts = [ROOT]
        while starts[-1] < len(self.backoffs):
            starts.append(int(self.first_child[starts[-1]]))
        return [*starts, len(self.words)]

    def begin(self) -> int:
        """Return the state in which a segment begins."""
        return self._shorten(1 + START_ID)

    def advance(self, state: int, word: int) -> tuple[int, float]:
        """Hear one more word.

        Args:
            state: Of the words before, as a call before or `begin` returned it; `ROOT` knows none.
            word: Its id.

        Returns:
            The state behind it, which is the longest node that can matter to what follows, and the
            natural log of the word's probability.
        """
        log_prob = 0.0
        while (child := self._child(state, word)) < 0:
            log_prob += float(self.backoffs[state])
            state = int(self.suffixes[state])
        return self._shorten(child), log_prob + float(self.log_probs[child])

    def log_probs_of(self, words: Sequence[int]) -> list[float]:
        """Score a segment: natural logs of each word's probability, and of its end's."""
        state, log_probs = self.begin(), []
        for word in (*words, END_ID):
            state, log_prob = self.advance(state, word)
            log_probs.append(log_prob)
        return log_probs

    def _child(self, node: int, word: int) -> int:
        """Find a node's child by its last word; -1 if there is none."""
        if node == ROOT:
            return 1 + word
        start, stop = int(self.first_child[node]), int(self.first_child[node + 1])
        found = start + int(np.searchsorted(self.words[start:stop], word))
        return found if found < stop and self.words[found] == word else -1

    def _shorten(self, node: int) -> int:
        """Drop first words until there is a child, or no word: they matter to nothing to come."""
        while node and not (
            node < len(self.backoffs) and self.first_child[node] < self.first_child[node + 1]
        ):
            node = int(self.suffixes[node])
        return node

    def parents(self) -> NDArray[np.int32]:
        """Find the node of each n-gram's context, (N,); the root's is itself."""
        inner = np.arange(len(self.backoffs), dtype=np.int32)
        n_children = self.first_child[1:] - self.first_child[:-1]
        return np.concatenate([np.zeros(1, np.int32), np.repeat(inner, n_children)])

    def select(self, kept: Mask, backoffs: NDArray[np.floating]) -> "NGram":
        """Keep some nodes, with which their contexts and suffixes must be kept.

        Args:
            kept: (N,) which nodes stay; the root and all words do.
            backoffs: (N_inner,) back-off weights of the nodes by their present numbers.
        """
        orders = [slice(*bounds) for bounds in pairwise(self.starts)][1:]
        masks = [kept[order] for order in orders]
        return NGram.from_levels(
            self.vocabulary,
            select(self.levels(), masks),
            [self.log_probs[order][mask] for order, mask in zip(orders, masks, strict=True)],
            [backoffs[order][mask] for order, mask in zip(orders[:-1], masks, strict=False)],
        )

    def levels(self) -> list[Level]:
        """Take the nodes apart by order."""
        parents, starts = self.parents(), self.starts
        levels = []
        for below, start, stop in zip(starts, starts[1:], starts[2:], strict=False):
            nodes = slice(start, stop)
            levels.append(
                Level(parents[nodes] - below, self.words[nodes], self.suffixes[nodes] - below)
            )
        return levels


def _join(parts: Sequence[ArrayLike], dtype: type[Number]) -> NDArray[Number]:
    joined: NDArray[Number] = np.concatenate(parts, dtype=dtype, casting="unsafe")
    return joined
