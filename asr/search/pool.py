"""Pool: what may be in the next beam, kept down to the best few.

First come the prefixes that stay in the beam, then those that are new to it. The fields of a
candidate:

    value      what it is ranked by: probability times outlook
    in_blank   probability of the paths that end in a blank
    in_token   probability of those that end in the last token
    prefix     its row in the prefix tree; none if it has none yet

and, for one that is new to the beam, what its row says or will say: `parent`, `token`, `spelled`,
`ended`, `context`, `phrase`, `factor`, `outlook`.
"""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from asr.compiled import compiled

Rows: TypeAlias = "np.recarray[Any, Any]"  # flat, of records
Factors = NDArray[np.float64]

_FACTORS = ("value", "in_blank", "in_token", "factor", "outlook")
_NUMBERS = ("prefix", "parent", "token", "spelled", "ended", "context", "phrase")
CANDIDATE = np.dtype([*((n, np.float64) for n in _FACTORS), *((n, np.int64) for n in _NUMBERS)])

# How the pool stands: places in the beam, candidates there are, the greatest value, the value that
# a candidate has to exceed, and the share of the greatest value that it has to exceed.
STAND = np.dtype(
    [
        ("size", np.int64),
        ("n", np.int64),
        ("best", np.float64),
        ("cutoff", np.float64),
        ("least_share", np.float64),
    ]
)


@compiled
def keep_best(pool: Rows, stand: Any, scratch: Factors) -> None:  # noqa: ANN401 (a record)
    """Keep the best that the beam has places for, of those that exceed the cutoff, in their order.

    Of equal candidates the first ones are kept. The cutoff rises to what is needed from now on.
    """
    least, n_ties = stand.best * stand.least_share, 0  # kept: what exceeds it, and so many equals
    if stand.n > stand.size:
        for i in range(stand.n):
            scratch[i] = pool[i].value
        last = nth_greatest(scratch[: stand.n], stand.size)
        if last > least:
            least, n_ties = last, stand.size
            for i in range(stand.n):
                n_ties -= pool[i].value > least
    n_kept = 0
    for i in range(stand.n):
        value = pool[i].value
        if value > least or (value == least and n_ties > 0):
            n_ties -= value == least
            if i != n_kept:
                pool[n_kept] = pool[i]
            n_kept += 1
    stand.n = n_kept
    stand.cutoff = max(stand.cutoff, least)


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
