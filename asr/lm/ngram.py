"""N-gram: a back-off model as a vocabulary and a few flat arrays.

Every n-gram of every order is a *node*. Node 0 is the empty context, the root; then come the
single words in the order of their ids, then the pairs, and so on, each order sorted by
(parent, word). A node's parent is its n-gram without the last word, its suffix the n-gram without
the first; the children of a node are consecutive.

    node           0     1      2    3     4   5      6        7        8
    n-gram         root  <unk>  <s>  </s>  A   B      <s> A    A B      <s> A B
    words          -1    0      1    2     3   4      3        4        4
    first_child    1     6      6    7     7   8      8        9  (9)
    suffixes       0     0      0    0     0   0      4        5        7

The children of node i are first_child[i] .. first_child[i + 1] - 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from asr.compiled import compiled
from asr.errors import DataError
from asr.lm.levels import Level, Mask, Rows
from asr.lm.vocabulary import Vocabulary

ROOT = 0

_MAX_NODES = 2**31  # what int32 can number


class Nodes(NamedTuple):
    """The arrays of a model, N nodes, as compiled code takes them; see `make_nodes`.

    N_inner nodes are below the highest order. Logarithms are natural, those of the root are 0.
    """

    words: NDArray[np.int32]  # (N,) the last word of each node; -1 for the root
    log_probs: NDArray[np.float32]  # (N,) log of P(last word | words before it)
    backoffs: NDArray[np.float32]  # (N_inner,) log of the back-off weight
    first_child: NDArray[np.uint32]  # (N_inner + 1,) the first child of each node
    suffixes: NDArray[np.int32]  # (N,) the node without the first word; the root for single words


def make_nodes(
    words: NDArray[np.int32],
    log_probs: NDArray[np.float32],
    backoffs: NDArray[np.float32],
    first_child: NDArray[np.uint32],
    suffixes: NDArray[np.int32],
) -> Nodes:
    """View arrays, in memory or mapped from a file, as read-only; nothing is copied.

    Code is compiled once per kind of array, so all models have the same kind.
    """
    arrays: tuple[NDArray[Any], ...] = words, log_probs, backoffs, first_child, suffixes
    nodes = Nodes(*(np.asarray(array).view() for array in arrays))
    for array in nodes:
        array.flags.writeable = False
    return nodes


@compiled
def children(nodes: Nodes, node: int) -> tuple[int, int]:
    """Return the first child of a node below the highest order, and the node after its last one."""
    # a uint32 and an int make a float in compiled code, so by way of int64
    first, stop = np.int64(nodes.first_child[node]), np.int64(nodes.first_child[node + 1])
    return int(first), int(stop)


@compiled
def _find_children(parents: Rows, start: int, first_child: NDArray[np.uint32]) -> None:
    """Fill in the first child of each context; `parents` are those of the nodes from `start` on."""
    row = 0
    for context in range(len(first_child)):
        while row < len(parents) and parents[row] < context:
            row += 1
        first_child[context] = start + row


@compiled
def _find_contexts(first_child: NDArray[np.uint32], keep: Mask, rows: Rows, contexts: Rows) -> None:
    """Fill in the new row of the context of each node that stays, in their order.

    `first_child` and `rows` are those of the contexts, `keep` tells which of their children stay.
    """
    node, n_kept = 0, 0
    for context in range(len(first_child) - 1):
        n_children = np.int64(first_child[context + 1]) - np.int64(first_child[context])
        for _ in range(n_children):
            if keep[node]:
                contexts[n_kept] = rows[context]
                n_kept += 1
            node += 1


NO_NODES = make_nodes(
    words=np.zeros(0, np.int32),
    log_probs=np.zeros(0, np.float32),
    backoffs=np.zeros(0, np.float32),
    first_child=np.zeros(1, np.uint32),
    suffixes=np.zeros(0, np.int32),
)


@dataclass(frozen=True, slots=True, eq=False)
class NGram:
    """A back-off n-gram model; `asr.lm.backoff` computes its probabilities.

    Attributes:
        vocabulary: The words by id.
        nodes: The n-grams.
    """

    vocabulary: Vocabulary
    nodes: Nodes

    @classmethod
    def from_levels(
        cls,
        vocabulary: Vocabulary,
        levels: list[Level],
        log_probs: list[NDArray[np.floating]],
        backoffs: Sequence[NDArray[np.floating]],
    ) -> "NGram":
        """Join the levels of all orders; empty orders at the end are dropped.

        An empty order stays if the one below it has back-off weights other than one, which count
        as long as the n-grams with the weights are contexts.

        Args:
            vocabulary: The words; the first level has a row for each.
            levels: Of orders 1, 2, ...; the list is emptied, so that memory holds them only once.
            log_probs: (n,) for each level, natural log; emptied as well.
            backoffs: (n,) for each level but the last, natural log.

        Raises:
            DataError: There are more n-grams than can be numbered.
        """
        while not len(levels[-1].words) and not np.any(backoffs[len(levels) - 2]):
            levels.pop()
            log_probs.pop()
        starts = np.cumsum([0, 1, *(len(level.words) for level in levels)])  # of each order
        n_inner, n_nodes = starts[-2], starts[-1]
        if n_nodes > _MAX_NODES:
            raise DataError(f"expected at most {_MAX_NODES} n-grams, got {n_nodes}: prune more")
        words, suffixes = np.zeros(n_nodes, np.int32), np.zeros(n_nodes, np.int32)
        words[0] = -1
        all_log_probs, all_backoffs = np.zeros(n_nodes, np.float32), np.zeros(n_inner, np.float32)
        first_child = np.full(n_inner + 1, n_nodes, np.uint32)
        while levels:  # the highest order, which has most, first
            below, start, stop = starts[len(levels) - 1 : len(levels) + 2]
            if len(levels) < len(starts) - 2:
                all_backoffs[start:stop] = backoffs[len(levels) - 1]
            parents, own_words, own_suffixes = levels.pop()
            _find_children(parents, int(start), first_child[below:start])
            del parents
            words[start:stop] = own_words
            del own_words
            np.add(own_suffixes, np.int32(below), out=suffixes[start:stop])
            del own_suffixes
            all_log_probs[start:stop] = log_probs.pop()
        nodes = make_nodes(words, all_log_probs, all_backoffs, first_child, suffixes)
        return cls(vocabulary, nodes)

    @property
    def order(self) -> int:
        """Length of the longest n-grams."""
        return len(self.starts) - 2

    @property
    def starts(self) -> list[int]:
        """The first node of each order from 0 on, then the number of nodes."""
        starts = [ROOT]
        while starts[-1] < len(self.nodes.backoffs):
            starts.append(int(self.nodes.first_child[starts[-1]]))
        return [*starts, len(self.nodes.words)]

    def parents(self) -> NDArray[np.int32]:
        """Find the node of each n-gram's context, (N,); the root's is the root."""
        inner = np.arange(len(self.nodes.backoffs), dtype=np.int32)
        n_children = np.diff(self.nodes.first_child)
        return np.concatenate([np.zeros(1, np.int32), np.repeat(inner, n_children)])

    def select(self, kept: Mask, backoffs: NDArray[np.float32]) -> "NGram":
        """Keep some nodes; their contexts and suffixes must be among them.

        Args:
            kept: (N,) which nodes stay; the root and all words do.
            backoffs: (N_inner,) the new back-off weights, by the present nodes.
        """
        rows: Rows = np.zeros(1, np.int32)  # the new ones, of the order below
        levels, log_probs, weights = [], [], []
        starts, nodes = self.starts, self.nodes
        for below, start, stop in zip(starts, starts[1:], starts[2:], strict=False):
            here, keep = slice(start, stop), kept[start:stop]
            contexts = np.empty(np.count_nonzero(keep), np.int32)
            _find_contexts(nodes.first_child[below : start + 1], keep, rows, contexts)
            suffixes = rows[nodes.suffixes[here][keep] - below]
            levels.append(Level(contexts, nodes.words[here][keep], suffixes))
            log_probs.append(nodes.log_probs[here][keep])
            weights.append(backoffs[here][keep] if stop <= len(backoffs) else NO_NODES.backoffs)
            if stop < len(kept):
                rows = np.cumsum(keep, dtype=np.int32) - np.int32(1)
        return NGram.from_levels(self.vocabulary, levels, log_probs, weights[:-1])
