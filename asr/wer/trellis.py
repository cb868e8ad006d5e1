"""Trellis: the cheapest alignment of two texts, in compiled loops over flat arrays.

Costs and ties are sclite's, so that counts agree with it: a substitution costs 4, a deletion or an
insertion 3; of equally cheap steps a substitution goes first, then an insertion. Texts may branch
(see `asr.wer.network`): a word follows any of its predecessors. Where none does, `count_chains`
needs one row of cells instead of all.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from asr.compiled import compiled

WORD, OPTIONAL, NULL, END = 0, 1, 2, 3  # kinds of nodes; an optional word may be missing
MAX_BRANCHES = 127  # predecessors of a node

_SUBSTITUTION, _GAP, _OPTIONAL_GAP, _NULL_GAP = 4000, 3000, 2000, 1  # thousandths
_WHOLE_SUBSTITUTION, _WHOLE_GAP = 4, 3  # of a chain, whose cost fits beside the substitutions
_NEVER = 2**30
_BITS = 32  # of a cell of `count_chains`: its substitutions, below its cost


class Nodes(NamedTuple):
    """The words of many texts, one text after another; the last node of each is an END.

    A node's predecessors are counted from 1 in its own text; 0 is the start, before its first node.
    """

    ids: NDArray[np.int32]  # (N,) equal words have equal ids
    kinds: NDArray[np.int8]  # (N,)
    starts: NDArray[np.int64]  # (texts + 1,) first node of each text
    branches: NDArray[np.int64]  # (N + 1,) where the predecessors of each node begin
    predecessors: NDArray[np.int32]  # (at least N,)


def count_chains(reference: Nodes, hypothesis: Nodes) -> NDArray[np.int64]:
    """Align pairs of texts without branches.

    Returns:
        (texts, 4): hits, substitutions, deletions and insertions.
    """
    n_reference, n_hypothesis = (np.diff(nodes.starts) - 1 for nodes in (reference, hypothesis))
    cells = np.empty(n_hypothesis.max() + 1, np.int64)
    ends = np.empty(len(n_reference), np.int64)
    _count_chains(reference, hypothesis, cells, ends)
    substitutions = ends & (2**_BITS - 1)
    gaps = ((ends >> _BITS) - _WHOLE_SUBSTITUTION * substitutions) // _WHOLE_GAP
    deletions = (gaps + n_reference - n_hypothesis) // 2
    hits = n_reference - substitutions - deletions
    return np.stack([hits, substitutions, deletions, gaps - deletions], axis=1)


def best_steps(reference: Nodes, hypothesis: Nodes) -> list[tuple[int, int]]:
    """Align one pair of texts.

    Returns:
        In order, the nodes of reference and hypothesis that each step takes, counted from 1; 0
        where it takes none. The step to the ends is left out.
    """
    i, j = len(reference.ids), len(hypothesis.ids)
    cells = np.empty((i + 1, j + 1), np.int32)
    steps = np.zeros((i + 1, j + 1), np.uint16)
    _fill(reference, hypothesis, cells, steps)
    path: list[tuple[int, int]] = []
    while i or j:
        step = int(steps[i, j])
        takes_reference, takes_hypothesis = step & 1, step >> 1 & 1
        path.append((i * takes_reference, j * takes_hypothesis))
        if takes_reference:
            i = int(reference.predecessors[reference.branches[i - 1] + (step >> 2 & 127)])
        if takes_hypothesis:
            j = int(hypothesis.predecessors[hypothesis.branches[j - 1] + (step >> 9)])
    return path[:0:-1]


@compiled
def _count_chains(
    reference: Nodes, hypothesis: Nodes, cells: NDArray[np.int64], ends: NDArray[np.int64]
) -> None:
    """Find the cost and the substitutions of each pair."""
    gap, substitution = _WHOLE_GAP << _BITS, (_WHOLE_SUBSTITUTION << _BITS) + 1
    for text in range(ends.shape[0]):
        begin = hypothesis.starts[text] - 1
        n_hypothesis = hypothesis.starts[text + 1] - begin - 2
        for j in range(n_hypothesis + 1):
            cells[j] = j * gap
        for i in range(reference.starts[text], reference.starts[text + 1] - 1):
            word = reference.ids[i]
            diagonal, left = cells[0], cells[0] + gap
            cells[0] = left
            for j in range(1, n_hypothesis + 1):
                best = diagonal if word == hypothesis.ids[begin + j] else diagonal + substitution
                diagonal = cells[j]
                if left + gap >> _BITS < best >> _BITS:
                    best = left + gap
                if diagonal + gap >> _BITS < best >> _BITS:
                    best = diagonal + gap
                cells[j] = left = best
        ends[text] = cells[n_hypothesis]


@compiled
def _fill(
    reference: Nodes, hypothesis: Nodes, cells: NDArray[np.int32], steps: NDArray[np.uint16]
) -> None:
    """Find the cheapest way to each pair of nodes, counted from 1, and its last step."""
    for i in range(cells.shape[0]):
        for j in range(cells.shape[1]):
            best, step = (0 if i + j == 0 else _NEVER), 0
            if i > 0 and j > 0:
                best, step = _together(reference, hypothesis, i, j, cells)
            if j > 0:
                cost, branch = _alone(hypothesis, j, cells[i])
                if cost < best:
                    best, step = cost, 2 | branch << 9
            if i > 0:
                cost, branch = _alone(reference, i, cells[:, j])
                if cost < best:
                    best, step = cost, 1 | branch << 2
            cells[i, j], steps[i, j] = best, step


@compiled
def _together(
    reference: Nodes, hypothesis: Nodes, i: int, j: int, cells: NDArray[np.int32]
) -> tuple[int, int]:
    """Take two nodes: the cost, and the step."""
    first, other_first = reference.branches[i - 1], hypothesis.branches[j - 1]
    best, step, price = _NEVER, 0, _pair(reference, hypothesis, i - 1, j - 1)
    for a in range(first, reference.branches[i]):
        for b in range(other_first, hypothesis.branches[j]):
            before = cells[reference.predecessors[a], hypothesis.predecessors[b]]
            if before + price < best:
                best, step = before + price, 3 | (a - first) << 2 | (b - other_first) << 9
    return best, step


@compiled
def _alone(nodes: Nodes, i: int, cells: NDArray[np.int32]) -> tuple[int, int]:
    """Take one node without a counterpart: the cost, and which of its predecessors it follows."""
    best, branch, price = _NEVER, 0, _gap(nodes.kinds[i - 1])
    for a in range(nodes.branches[i - 1], nodes.branches[i]):
        if cells[nodes.predecessors[a]] + price < best:
            best, branch = cells[nodes.predecessors[a]] + price, a - nodes.branches[i - 1]
    return best, branch


@compiled
def _pair(reference: Nodes, hypothesis: Nodes, i: int, j: int) -> int:
    """Price two nodes that are taken together."""
    kind, other = reference.kinds[i], hypothesis.kinds[j]
    if (kind == END) != (other == END):
        return _NEVER // 2
    is_word = NULL not in (kind, other)
    return 0 if is_word and reference.ids[i] == hypothesis.ids[j] else _SUBSTITUTION


@compiled
def _gap(kind: int) -> int:
    """Price a node that has no counterpart."""
    if kind == WORD:
        return _GAP
    if kind == OPTIONAL:
        return _OPTIONAL_GAP
    return _NULL_GAP if kind == NULL else _NEVER // 2
