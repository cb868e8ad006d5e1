"""Compact: an n-gram model in a fifth of the bytes, to be given away.

Of the arrays of `Nodes`, three need not be stored. An n-gram's suffix is a child of its parent's
suffix, and has the same last word, so its rank among those children tells both. And few n-grams are
contexts of longer ones, or have a back-off weight other than one:

    contexts      how many nodes are between one context and      first_child, backoffs
                  the next, or the first of the highest order
    n_children    how many children each context has              first_child
    backoffs      one of 256 values for each context              backoffs
    gaps          from the rank of an n-gram's suffix to          suffixes, words
                  that of the next child of its parent
    log_probs     one of 256 values                               log_probs

Counts and gaps are nearly always below 128, and then take a byte (LEB128). The values are a step
apart, and 0 is one of them: for a model of books, steps of 0.063 nats for probabilities and 0.025
for back-off weights, so that a number is wrong by half of that at most.
"""

import numpy as np
from numpy.typing import NDArray

from asr.compiled import compiled
from asr.lm.array_file import Arrays
from asr.lm.ngram import Nodes, children, make_nodes

Numbers = NDArray[np.float32]

N_VALUES = 256
LEAST = -30.0  # nats, 10^-13: what is less probable never happens

_SHIFTS = (0, 7, 14, 21, 28)  # of the bits of a 32-bit number


def pack(nodes: Nodes) -> Arrays:
    """Make the compact arrays of a model: those above, and the values of the last two."""
    first_child = nodes.first_child.astype(np.int64)
    n_children = np.diff(first_child)
    parents = np.repeat(np.arange(len(n_children)), n_children)[n_children[0] :]  # from pairs on
    children = np.arange(first_child[1], len(nodes.words))
    ranks = nodes.suffixes[children] - first_child[nodes.suffixes[parents]]
    is_first = np.diff(parents, prepend=-1) != 0
    gaps = np.where(is_first, ranks, np.diff(ranks, prepend=0) - 1)
    contexts = np.flatnonzero((n_children > 0) | (nodes.backoffs != 0))
    log_prob_values, log_probs = _quantised(nodes.log_probs)
    backoff_values, backoffs = _quantised(nodes.backoffs)
    return {
        "contexts": variable_length(np.diff(contexts, prepend=-1, append=len(n_children)) - 1),
        "n_children": variable_length(n_children[contexts]),
        "backoff_values": backoff_values,
        "backoffs": backoffs[contexts],
        "gaps": variable_length(gaps),
        "log_prob_values": log_prob_values,
        "log_probs": log_probs,
    }


def unpack(arrays: Arrays) -> Nodes | None:
    """Make a model of its compact arrays; None if they are damaged."""
    log_probs, backoffs = arrays["log_probs"], arrays["backoffs"]
    values = arrays["log_prob_values"], arrays["backoff_values"]
    between = np.zeros(len(backoffs) + 1, np.uint32)
    counts = np.zeros(len(backoffs), np.uint32)
    if (
        not read_variable_length(arrays["contexts"], between)
        or not read_variable_length(arrays["n_children"], counts)
        or counts.sum(dtype=np.int64) != len(log_probs) - 1
        or not len(values[0]) == len(values[1]) == N_VALUES
    ):
        return None
    places = np.cumsum(between, dtype=np.int64) + np.arange(len(between))
    contexts, n_inner, n_nodes = places[:-1], int(places[-1]), len(log_probs)
    if not 0 < n_inner <= n_nodes:
        return None
    first_child = np.zeros(n_inner + 1, np.uint32)
    first_child[contexts + 1] = counts
    first_child[0] = 1
    np.cumsum(first_child, out=first_child)
    words = np.zeros(n_nodes, np.int32)
    first_pair = int(first_child[1])
    words[:first_pair] = np.arange(-1, first_pair - 1)
    all_backoffs = np.zeros(n_inner, np.float32)
    all_backoffs[contexts] = values[1][backoffs]
    all_log_probs, suffixes = np.empty(n_nodes, np.float32), np.zeros(n_nodes, np.int32)
    _look_up(values[0], log_probs, all_log_probs)
    nodes = Nodes(words, all_log_probs, all_backoffs, first_child, suffixes)
    return make_nodes(*nodes) if _have_suffixes(nodes, arrays["gaps"]) else None


@compiled
def _look_up(values: Numbers, codes: NDArray[np.uint8], numbers: Numbers) -> None:
    """Fill in the number that each code means; numpy would make a larger index of the codes."""
    for i in range(len(codes)):
        numbers[i] = values[codes[i]]


@compiled
def _have_suffixes(nodes: Nodes, gaps: NDArray[np.uint8]) -> bool:
    """Fill in the suffix and the last word of each n-gram; False if one has none, or no gap."""
    position = 0
    for node in range(1, len(nodes.backoffs)):
        first, stop = children(nodes, node)
        rank, after_last = children(nodes, int(nodes.suffixes[node]))
        for child in range(first, stop):
            gap, position = _read_number(gaps, position)
            rank += gap
            if gap < 0 or rank >= after_last:
                return False
            nodes.suffixes[child] = rank
            nodes.words[child] = nodes.words[rank]
            rank += 1
    return position == len(gaps)


def _quantised(numbers: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Choose values in equal steps, 0 among them, and the nearest one of each number.

    All numbers below `LEAST` share one value, the least of them, so that one impossible word makes
    no steps larger.
    """
    least, greatest = min(0.0, float(numbers.min())), max(0.0, float(numbers.max()))
    usable = float(numbers[numbers >= LEAST].min(initial=0.0))
    step = (greatest - usable) / (N_VALUES - 3) or 1.0
    above_zero = int(np.ceil(greatest / step))
    values = (above_zero - np.arange(N_VALUES)) * step
    codes = np.minimum(above_zero - np.rint(numbers / step), N_VALUES - 1)
    if least < LEAST:
        values[-1] = least
    return values.astype(np.float32), codes.astype(np.uint8)


def variable_length(numbers: NDArray[np.integer]) -> NDArray[np.uint8]:
    """Write numbers below 2**32, seven bits to a byte, the lowest first (LEB128)."""
    numbers = numbers.astype(np.uint32)
    limits = np.left_shift(1, _SHIFTS[1:], dtype=np.int64)
    sizes = 1 + np.searchsorted(limits, numbers, side="right")
    ends = np.cumsum(sizes)
    written = np.zeros(sizes.sum(), np.uint8)
    for i, shift in enumerate(_SHIFTS):
        has = sizes > i
        is_last = sizes[has] == i + 1
        written[(ends - sizes)[has] + i] = (numbers[has] >> shift & 127) | np.where(is_last, 0, 128)
    return written


@compiled
def read_variable_length(written: NDArray[np.uint8], numbers: NDArray[np.uint32]) -> bool:
    """Fill in numbers; False if they do not take exactly the bytes that there are."""
    position = 0
    for i in range(len(numbers)):
        number, position = _read_number(written, position)
        if number < 0:
            return False
        numbers[i] = number
    return position == len(written)


@compiled
def _read_number(written: NDArray[np.uint8], position: int) -> tuple[int, int]:
    """Read the number at a position; return it, -1 if it has no end, and where the next begins."""
    number, shift, byte = 0, 0, 128
    while byte >= 128:
        if position == len(written) or shift > _SHIFTS[-1]:
            return -1, position
        byte = int(written[position])
        number |= (byte & 127) << shift
        position, shift = position + 1, shift + 7
    return number, position
