"""Pool: the candidates for the next beam, pruned to the best few.

First come the prefixes of the present beam, then new ones. The fields of a candidate:

    value           what it is ranked by: its probability times its look-ahead
    in_blank        probability of its paths that end in a blank
    in_token        probability of its paths that end in its last token
    prefix          its row in the prefix tree, or none if it has no row yet

and, for a new one, the fields of its row: `parent`, `token`, `node`, `ended_word`, `lm_state`,
`hotword_state`, `factor`, `look_ahead`.
"""

from asr.compiled import compiled
from asr.search.records import Factors, Records, record_type

CANDIDATE = record_type(
    ids=("prefix", "parent", "token", "node", "ended_word", "lm_state", "hotword_state"),
    factors=("value", "in_blank", "in_token", "factor", "look_ahead"),
)

# The size of the beam, the number of candidates, the best value, the value that a candidate must
# exceed, and the share of the best value that it must exceed.
STATUS = record_type(ids=("beam_size", "n"), factors=("best", "cutoff", "min_share"))


@compiled
def prune(pool: Records, status: Records, scratch: Factors) -> None:
    """Keep the best candidates above the cutoff, as many as the beam holds, in their order.

    Of equal candidates the first are kept. The cutoff rises to the value needed from now on.
    """
    now = status[0]
    least, n_ties = now.best * now.min_share, 0  # kept: all above `least`, and `n_ties` equal to it
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
