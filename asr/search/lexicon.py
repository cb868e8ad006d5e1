"""Lexicon: the words that tokens can spell, as one automaton in flat arrays.

Words are spelled in units (phones or characters). A node is a prefix that words share, node 0 the
empty one. A token is one unit or several (a BPE piece); an arc leads from a node along a token to a
longer prefix. So every way to split a word into tokens leads to the same node.

    words  AN, AND, ANT, TO          first_arc   0 2 3 5 5 5 6 6      arcs of node i:
    units  A, D, N, O, T                                              first_arc[i] up to
                                     arc_token   A T N D T O          first_arc[i + 1]
    0 ─A─ 1 ─N─ 2 ─D─ 3              arc_target  1 5 2 3 4 6
    │           └─T─ 4               word        - - AN AND ANT - TO
    └─T─ 5 ─O─ 6

Two words with the same spelling end in two nodes, reached by two arcs with the same token.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain, pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from asr.search.records import NONE

Numbers = NDArray[np.int32]
Scores = NDArray[np.float64]  # nats


class Spellings(NamedTuple):
    """Spellings of words, one after the other."""

    units: Numbers  # (sum of lengths,) 0 or greater
    lengths: NDArray[np.int64]  # (n,) units of each; a spelling without units is left out
    words: Numbers  # (n,) the word that each spells, 0 or greater; a word can have several

    @classmethod
    def of(cls, spellings: Sequence[Sequence[int]], words: Sequence[int]) -> "Spellings":
        """Collect spellings, each with its word."""
        units, lengths = list(chain.from_iterable(spellings)), list(map(len, spellings))
        return cls(
            np.array(units, np.int32), np.array(lengths, np.int64), np.array(words, np.int32)
        )


@dataclass(frozen=True, slots=True, eq=False)
class Lexicon:
    """The automaton of a list of words; M nodes, A arcs; words are numbered by the list."""

    first_arc: Numbers  # (M + 1,) the first arc of each node; its arcs are in order of tokens
    arc_token: Numbers  # (A,)
    arc_target: Numbers  # (A,)
    word: Numbers  # (M,) the word that ends at each node, or `NONE`
    parent: Numbers  # (M,) the node one unit shorter; the root's is the root
    depth: Numbers  # (M,) units of each node

    @property
    def n_words(self) -> int:
        """One more than the last word that has a spelling."""
        return int(self.word.max(initial=NONE)) + 1

    def spellings_of(self, word: int) -> Iterator[list[int]]:
        """List the spellings of a word in tokens, if each token is one unit."""
        for end in np.flatnonzero(self.word == word).tolist():
            tokens, node = [], end
            while node:
                parent = int(self.parent[node])
                arcs = slice(self.first_arc[parent], self.first_arc[parent + 1])
                tokens += self.arc_token[arcs][self.arc_target[arcs] == node][:1].tolist()
                node = parent
            if len(tokens) == self.depth[end]:  # else a unit has no token in this place
                yield tokens[::-1]

    def is_sound(self, n_tokens: int, n_words: int) -> bool:
        """Check that all numbers are in range, as compiled code follows them unchecked."""
        n_nodes, n_arcs = len(self.word), len(self.arc_token)
        sizes = len(self.first_arc), len(self.parent), len(self.depth), len(self.arc_target)
        if sizes != (n_nodes + 1, n_nodes, n_nodes, n_arcs) or not n_nodes:
            return False
        bounds = self.first_arc[0], self.first_arc[-1], self.parent[0], self.depth[0]
        return bounds == (0, n_arcs, 0, 0) and bool(
            np.all(np.diff(self.first_arc) >= 0)
            and np.all((self.arc_token >= 0) & (self.arc_token < n_tokens))
            and np.all((self.arc_target >= 0) & (self.arc_target < n_nodes))
            and np.all((self.word >= NONE) & (self.word < n_words))
            and np.all((self.parent[1:] >= 0) & (self.parent[1:] < np.arange(1, n_nodes)))
            and np.all(self.depth[1:] == self.depth[self.parent[1:]] + 1)
        )

    def best_reachable(self, word_scores: Scores) -> Scores:
        """Find the best score among the words that each node is a prefix of, (M,); -inf if none."""
        best = np.full(len(self.word), -np.inf)
        is_end = self.word != NONE
        best[is_end] = word_scores[self.word[is_end]]
        for nodes in reversed(_levels(self.depth)[1:]):
            first = np.flatnonzero(np.diff(self.parent[nodes], prepend=-1))
            parents = self.parent[nodes[first]]
            best[parents] = np.maximum(best[parents], np.maximum.reduceat(best[nodes], first))
        return best


def make_lexicon(
    spellings: Spellings, token_units: Sequence[Sequence[int]], begins_word: Sequence[bool]
) -> Lexicon:
    """Make the automaton of some spellings.

    Args:
        spellings: How the words are spelled.
        token_units: Units of each token of the model, none for the blank and a bare boundary.
        begins_word: Whether a token begins a word, and can only be its first.
    """
    matrix, words = _sorted(spellings)  # (W, L), (W,)
    parent, unit, depth, ends = _trie(matrix)
    word = np.full(len(parent), NONE, np.int32)
    word[ends] = words
    source, token, target = _arcs(parent, unit, token_units, begins_word)
    order = np.argsort(source * len(token_units) + token, kind="stable")
    counts = np.bincount(source, minlength=len(parent))
    return Lexicon(
        first_arc=np.append(0, np.cumsum(counts)).astype(np.int32),
        arc_token=token[order].astype(np.int32),
        arc_target=target[order].astype(np.int32),
        word=word,
        parent=parent,
        depth=depth,
    )


def _sorted(spellings: Spellings) -> tuple[NDArray[np.integer], Numbers]:
    """Sort spellings, each once with each of its words.

    Returns a row for each, (W, L): one more than its units, 0 after the last; and its word, (W,).
    """
    lengths = spellings.lengths
    kind = np.min_scalar_type(int(spellings.units.max(initial=0)) + 1).newbyteorder(">")
    matrix = np.zeros((len(lengths), int(lengths.max(initial=0))), kind)
    matrix[np.arange(matrix.shape[1]) < lengths[:, None]] = spellings.units + 1
    matrix, words = matrix[lengths > 0], spellings.words[lengths > 0]
    if not len(words):
        return matrix, words
    rows = matrix.view(f"S{matrix.shape[1] * kind.itemsize}")[:, 0]  # big-endian: in order as bytes
    order = np.lexsort((words, rows))
    rows, words = rows[order], words[order]
    is_new = np.append(True, (rows[1:] != rows[:-1]) | (words[1:] != words[:-1]))
    return matrix[order[is_new]], words[is_new]


def _trie(matrix: NDArray[np.integer]) -> tuple[Numbers, Numbers, Numbers, NDArray[np.int64]]:
    """Number the distinct prefixes of sorted spellings, (W, L), in their order.

    Returns the parent of each node, its last unit (-1 for the empty word) and its depth, (M,) each;
    and the last node of each spelling, (W,).
    """
    lengths = np.count_nonzero(matrix, axis=1)
    is_other = np.ones((len(matrix), matrix.shape[1] + 1), np.bool_)
    is_other[1:, :-1] = matrix[1:] != matrix[:-1]
    n_shared = np.minimum(is_other.argmax(axis=1), lengths - 1)  # equal ones are of two words
    n_new = lengths - n_shared
    ends = np.cumsum(n_new)
    row = np.repeat(np.arange(len(matrix)), n_new)
    column = np.arange(1, len(row) + 1) - np.repeat(ends - lengths + 1, n_new)
    depth = np.append(0, column + 1).astype(np.int32)
    unit = np.append(-1, matrix[row, column].astype(np.int32) - 1).astype(np.int32)
    parent = np.zeros(len(depth), np.int32)
    for above, level in pairwise(_levels(depth)):  # the parent is the last shorter one before it
        parent[level] = above[np.searchsorted(above, level) - 1]
    return parent, unit, depth, ends


def _levels(depth: Numbers) -> list[NDArray[np.int64]]:
    """List the nodes of each depth, from the root on, in their order."""
    order = np.argsort(depth.astype(np.min_scalar_type(depth.max())), kind="stable")
    return np.split(order, np.cumsum(np.bincount(depth))[:-1])


def _arcs(
    parent: Numbers,
    unit: Numbers,
    token_units: Sequence[Sequence[int]],
    begins_word: Sequence[bool],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """List source, token and target of each arc; those with the same source and token by target."""
    n_units = max((u for units in token_units for u in units), default=0)
    n_units = max(n_units, int(unit.max(initial=0))) + 1
    keys = parent[1:].astype(np.int64) * n_units + unit[1:]
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    by_unit = np.argsort(unit, kind="stable")
    bounds = np.searchsorted(unit[by_unit], np.arange(n_units + 1))

    @cache  # tokens share their first units
    def walks(units: tuple[int, ...]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Find the nodes from which the units lead on, and where to."""
        if len(units) == 1:
            ends = by_unit[bounds[units[0]] : bounds[units[0] + 1]]
            return parent[ends].astype(np.int64), ends
        sources, nodes = walks(units[:-1])
        first = np.searchsorted(keys, nodes * n_units + units[-1], side="left")
        counts = np.searchsorted(keys, nodes * n_units + units[-1], side="right") - first
        nth = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        return np.repeat(sources, counts), order[np.repeat(first, counts) + nth] + 1

    arcs = [np.zeros((3, 0), np.int64)]
    for token, units in enumerate(token_units):
        if units:
            sources, targets = walks(tuple(units))
            if begins_word[token]:
                targets, sources = targets[sources == 0], sources[sources == 0]
            arcs.append(np.stack([sources, np.full(len(sources), token), targets]))
        elif begins_word[token]:
            arcs.append(np.array([[0], [token], [0]]))  # a bare boundary, any number of times
    source, token_of_each, target = np.concatenate(arcs, axis=1)
    return source, token_of_each, target
