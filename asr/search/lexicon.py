"""Lexicon: the words that tokens can spell, as one automaton in flat arrays.

Words are spelled in units (characters, or phones), and share what they have in common at the
front: a node is the beginning of a word, node 0 the empty one. A token is one unit or several (a
BPE piece), and an arc leads from a node along a token to a longer beginning. So every way to cut a
word into tokens leads to the same node.

    words  AN, AND, ANT, TO          first_arc   0 2 3 5 5 5 6 6      arcs of node i are
    units  A, D, N, O, T                                              first_arc[i] to before
                                     arc_token   A T N D T O          first_arc[i + 1]
    0 ─A─ 1 ─N─ 2 ─D─ 3              arc_target  1 5 2 3 4 6
    │           └─T─ 4               word        - - AN AND ANT - TO
    └─T─ 5 ─O─ 6

Two words that are spelled alike end in two nodes, reached by two arcs with the same token.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain, groupby

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int32]
Scores = NDArray[np.float64]  # nats

NO_WORD = -1


@dataclass(frozen=True, slots=True, eq=False)
class Lexicon:
    """The automaton of a list of words; M nodes, A arcs, a word has its place in the list.

    Attributes:
        first_arc: (M + 1,) int32, where the arcs of each node begin; they are in order of tokens.
        arc_token: (A,) int32.
        arc_target: (A,) int32.
        word: (M,) int32, the word that ends at each node, or `NO_WORD`.
        parent: (M,) int32, the node one unit shorter; the empty word's is itself.
        depth: (M,) int32, units of each node.
    """

    first_arc: Numbers
    arc_token: Numbers
    arc_target: Numbers
    word: Numbers
    parent: Numbers
    depth: Numbers

    @property
    def n_words(self) -> int:
        """One more than the last word that has a spelling."""
        return int(self.word.max(initial=NO_WORD)) + 1

    def best_reachable(self, word_scores: Scores) -> Scores:
        """Find the best score among the words that begin as each node does.

        Args:
            word_scores: A score for each word.

        Returns:
            (M,) scores; minus infinity where no word can be reached.
        """
        best = np.full(len(self.word), -np.inf)
        is_end = self.word != NO_WORD
        best[is_end] = word_scores[self.word[is_end]]
        order = np.argsort(-self.depth, kind="stable")  # the longest first, of one parent together
        for nodes in np.split(order, np.flatnonzero(np.diff(self.depth[order])) + 1):
            first = np.flatnonzero(np.diff(self.parent[nodes], prepend=-1))
            parents = self.parent[nodes[first]]
            best[parents] = np.maximum(best[parents], np.maximum.reduceat(best[nodes], first))
        return best


def make_lexicon(
    spellings: Sequence[Sequence[int]],
    words: Sequence[int],
    token_units: Sequence[Sequence[int]],
    begins_word: Sequence[bool],
) -> Lexicon:
    """Make the automaton of some spellings.

    Args:
        spellings: Units of each word, 0 or greater; a spelling without units is left out.
        words: The word that each spelling spells, 0 or greater; a word may have several.
        token_units: Units of each token of the model, none for the blank and a bare boundary.
        begins_word: Whether a token begins a word, and can only be its first.
    """
    pairs = sorted((tuple(s), w) for s, w in zip(spellings, words, strict=True) if len(s))
    pairs = [pair for pair, _ in groupby(pairs)]
    matrix = _matrix([spelling for spelling, _ in pairs])  # (W, L)
    node, parent, unit, depth = _trie(matrix)
    word = np.full(len(parent), NO_WORD, np.int32)
    if pairs:
        lengths = (matrix >= 0).sum(axis=1)
        word[node[np.arange(len(pairs)), lengths - 1]] = [word for _, word in pairs]
    arcs = _arcs(parent, unit, token_units, begins_word)  # (A, 3)
    arcs = arcs[np.lexsort(arcs.T[::-1])]
    counts = np.bincount(arcs[:, 0], minlength=len(parent))
    return Lexicon(
        first_arc=np.append(0, np.cumsum(counts)).astype(np.int32),
        arc_token=np.ascontiguousarray(arcs[:, 1]),
        arc_target=np.ascontiguousarray(arcs[:, 2]),
        word=word,
        parent=parent,
        depth=depth,
    )


def _matrix(spellings: Sequence[Sequence[int]]) -> Numbers:
    """Write spellings below each other, -1 behind the shorter ones."""
    lengths = np.array([len(spelling) for spelling in spellings], np.intp)
    matrix = np.full((len(spellings), max(lengths, default=0)), -1, np.int32)
    flat = list(chain.from_iterable(spellings))
    matrix[np.arange(matrix.shape[1]) < lengths[:, None]] = flat
    return matrix


def _trie(matrix: Numbers) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    """Number the distinct beginnings of sorted spellings, in their order.

    Args:
        matrix: (W, L) units, in rising order, -1 behind the shorter.

    Returns:
        The node after each unit, (W, L); and of each node the parent, the last unit (-1 for the
        empty word) and the depth, (M,) each.
    """
    is_unit = matrix >= 0
    differs = np.ones(matrix.shape, np.bool_)
    differs[1:] = np.logical_or.accumulate(matrix[1:] != matrix[:-1], axis=1)
    ends = np.append(is_unit, np.zeros((len(matrix), 1), np.bool_), axis=1)
    is_last = is_unit & ~ends[:, 1:]
    is_new = is_unit & (differs | is_last)  # equal spellings are of two words
    node = np.zeros(matrix.shape, np.int32)
    node[is_new] = np.arange(1, is_new.sum() + 1)
    node = np.maximum.accumulate(node, axis=0)  # the last node numbered is the beginning shared
    before = np.append(np.zeros((len(matrix), 1), np.int32), node[:, :-1], axis=1)
    rows, columns = np.nonzero(is_new)
    return (
        node,
        np.append(0, before[rows, columns]).astype(np.int32),
        np.append(-1, matrix[rows, columns]).astype(np.int32),
        np.append(0, columns + 1).astype(np.int32),
    )


def _arcs(
    parent: Numbers,
    unit: Numbers,
    token_units: Sequence[Sequence[int]],
    begins_word: Sequence[bool],
) -> NDArray[np.int32]:
    """List (node, token, node) for every token that leads from one node to another."""
    n_units = max((u for units in token_units for u in units), default=0)
    n_units = max(n_units, int(unit.max(initial=0))) + 1
    keys = parent[1:].astype(np.int64) * n_units + unit[1:]
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    by_unit = np.argsort(unit, kind="stable")
    bounds = np.searchsorted(unit[by_unit], np.arange(n_units + 1))

    @cache  # tokens begin alike
    def walks(units: tuple[int, ...]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Find the nodes from which the units lead on, and where to."""
        if len(units) == 1:
            ends = by_unit[bounds[units[0]] : bounds[units[0] + 1]]
            return parent[ends].astype(np.intp), ends
        sources, nodes = walks(units[:-1])
        first = np.searchsorted(keys, nodes * n_units + units[-1], side="left")
        counts = np.searchsorted(keys, nodes * n_units + units[-1], side="right") - first
        nth = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        return np.repeat(sources, counts), order[np.repeat(first, counts) + nth] + 1

    found = [np.zeros((0, 3), np.int32)]
    for token, units in enumerate(token_units):
        if begins_word[token] and not len(units):
            found.append(np.array([[0, token, 0]], np.int32))  # a bare boundary, again and again
        if len(units):
            sources, targets = walks(tuple(units))
            if begins_word[token]:
                targets, sources = targets[sources == 0], sources[sources == 0]
            columns = (sources, np.full(len(sources), token), targets)
            found.append(np.stack(columns, axis=1).astype(np.int32))
    return np.concatenate(found)
