"""Pool: the candidates for the next beam, pruned to the best few.

First come the prefixes of the present beam, then new ones. The fields of a candidate:

    value           what it is ranked by: its probability times its look-ahead
    in_blank        probability of its paths that end in a blank
    in_token        probability of its paths that end in its last token
    prefix          its row in the prefix tree, or none if it has no row yet
    token, node, lm_state, hotword_state    as in its row

and, for a new one, the other fields of its row: `parent`, `ended_word`, `factor`, `look_ahead`.

Candidates that agree in those four fields go on alike: what follows changes all of them by the same
factor. So the best one is hardly ever overtaken, and a search for a single hypothesis keeps no
other (recombination). Otherwise four in five prefixes of a beam with an n-gram would go on like
another one.
"""

from typing import Any

import numpy as np

from asr.compiled import compiled
from asr.search.records import Factors, Ids, Records, record_type

CANDIDATE = record_type(
    ids=("prefix", "parent", "token", "node", "ended_word", "lm_state", "hotword_state"),
    factors=("value", "in_blank", "in_token", "factor", "look_ahead"),
)

# The size of the beam, the number of candidates, the best value, the value that a candidate must
# exceed, and the share of the best value that it must exceed.
STATUS = record_type(ids=("beam_size", "n"), factors=("best", "cutoff", "min_share"))

EMPTY = -1  # a place of the hash table without a candidate


def make_table(n_candidates: int) -> Ids:
    """Make the hash table in which that many candidates are recombined."""
    return np.empty(2 << n_candidates.bit_length(), np.int64)


@compiled
def prune(pool: Records, status: Records, scratch: Factors, table: Ids) -> None:
    """Keep the best candidates above the cutoff, as many as the beam holds, in their order.

    Of equal candidates the first are kept. The cutoff rises to the value needed from now on.
    Before, candidates that go on alike are recombined, unless the table is empty.
    """
    now = status[0]
    least, n_ties = now.best * now.min_share, 0  # kept: all above `least`, and `n_ties` equal to it
    if len(table):
        _recombine(pool, now.n, least, table)
    if now.n > now.beam_size:
        for i in range(now.n):
            scratch[i] = pool[i].value
        last = nth_greatest(scratch[: now.n], now.beam_size)
        if last > least:
            least, n_ties = last, now.beam_size
            for i in range(now.n):
                n_ties -= pool[i].value > least
    n_kept = 0
    for i in range(now.n):
        value = pool[i].value
        if value > least or (value == least and n_ties > 0):
            n_ties -= value == least
            if i != n_kept:
                pool[n_kept] = pool[i]
            n_kept += 1
    now.n = n_kept
    now.cutoff = max(now.cutoff, least)


@compiled
def _recombine(pool: Records, n: int, least: float, table: Ids) -> None:
    """Give a value of 0 to each of the first `n` candidates that goes on like a better one."""
    table[:] = EMPTY
    for i in range(n):
        one = pool[i]
        if one.value <= least:
            continue
        place = _first_place(one, len(table))
        while table[place] != EMPTY and not _go_on_alike(pool[table[place]], one):
            place = (place + 1) & (len(table) - 1)
        if table[place] == EMPTY:
            table[place] = i
        elif one.value > pool[table[place]].value:
            pool[table[place]].value = 0.0
            table[place] = i
        else:
            one.value = 0.0


@compiled
def _first_place(one: Any, n_places: int) -> int:  # noqa: ANN401 (a record)
    """Spread candidates over a table whose length is a power of two."""
    spread = int(one.node) * 0x9E3779B1 + int(one.lm_state) * 0x85EBCA77
    spread += int(one.token) * 0xC2B2AE3D + int(one.hotword_state) * 0x27D4EB2F
    return (spread ^ (spread >> 17)) & (n_places - 1)


@compiled
def _go_on_alike(one: Any, other: Any) -> bool:  # noqa: ANN401 (records)
    return bool(
        one.node == other.node
        and one.lm_state == other.lm_state
        and one.token == other.token
        and one.hotword_state == other.hotword_state
    )


@compiled
def nth_greatest(values: Factors, n: int) -> float:
    """Find the n-th greatest value, n from 1; reorders the array.

    References:
        Hoare, "Algorithm 65: Find", Communications of the ACM, 1961.
    """
    low, high, wanted = 0, len(values) - 1, n - 1
    while low < high:
        one, two, three = values[low], values[(low + high) // 2], values[high]
        pivot = max(min(one, two), min(max(one, two), three))
        left, right = low, high
        while left <= right:
            while values[left] > pivot:
                left += 1
            while values[right] < pivot:
                right -= 1
            if left <= right:
                values[left], values[right] = values[right], values[left]
                left += 1
                right -= 1
        if wanted <= right:
            high = right
        elif wanted >= left:
            low = left
        else:
            break
    value: float = values[wanted]
    return value
