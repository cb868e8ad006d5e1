"""Pool: what may be in the next beam, kept down to the best few."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from asr.search.compiled import compiled

Numbers = NDArray[np.int64]
Factors = NDArray[np.float64]


class Pool(NamedTuple):
    """Prefixes that compete for a place in the next beam, with these attributes, (C,) each.

    Attributes:
        value: What they are ranked by: probability times outlook.
        in_blank: Probability of the paths that end in a blank.
        in_token: Probability of those that end in the last token.
        prefix: The prefix's row in the tree; none if it is new, and then has the attributes below.
        parent: See `PrefixTree`, as for all that follow.
        token: .
        spelled: .
        ended: .
        context: .
        phrase: .
        factor: .
        outlook: .
        size: Places in the beam.
        n: (1,) candidates that are there.
        best: (1,) the greatest value.
        cutoff: (1,) the value that a candidate must exceed to be of any use.
        least_share: Of the greatest value, what others must exceed.
        scratch: (C,) room to choose in.
    """

    value: Factors
    in_blank: Factors
    in_token: Factors
    prefix: Numbers
    parent: Numbers
    token: Numbers
    spelled: Numbers
    ended: Numbers
    context: Numbers
    phrase: Numbers
    factor: Factors
    outlook: Factors
    size: int
    n: Numbers
    best: Factors
    cutoff: Factors
    least_share: float
    scratch: Factors


def make_pool(size: int, capacity: int, least_share: float) -> Pool:
    """Make room for `capacity` candidates for `size` places."""
    factors, numbers = np.zeros((6, capacity)), np.zeros((7, capacity), np.int64)
    return Pool(
        *factors[:3],
        *numbers,
        *factors[3:5],
        size,
        np.zeros(1, np.int64),
        np.zeros(1),
        np.zeros(1),
        least_share,
        factors[5],
    )


@compiled
def keep_best(pool: Pool) -> None:
    """Keep the best that the beam has places for, of those that exceed the cutoff, in their order.

    Of equal candidates the first ones are kept. The cutoff rises to what is needed from now on.
    """
    n, value = pool.n[0], pool.value
    least, n_ties = pool.best[0] * pool.least_share, 0  # kept: what exceeds it, and equals in order
    if n > pool.size:
        for i in range(n):
            pool.scratch[i] = value[i]
        last = nth_greatest(pool.scratch[:n], pool.size)
        if last > least:
            least, n_ties = last, pool.size
            for i in range(n):
                n_ties -= value[i] > least
    n_kept = 0
    for i in range(n):
        if value[i] > least or (value[i] == least and n_ties > 0):
            n_ties -= value[i] == least
            _move(pool, i, n_kept)
            n_kept += 1
    pool.n[0] = n_kept
    pool.cutoff[0] = max(pool.cutoff[0], least)


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
    return values[wanted]


@compiled
def _move(pool: Pool, source: int, target: int) -> None:
    pool.value[target] = pool.value[source]
    pool.in_blank[target] = pool.in_blank[source]
    pool.in_token[target] = pool.in_token[source]
    pool.prefix[target] = pool.prefix[source]
    pool.parent[target] = pool.parent[source]
    pool.token[target] = pool.token[source]
    pool.spelled[target] = pool.spelled[source]
    pool.ended[target] = pool.ended[source]
    pool.context[target] = pool.context[source]
    pool.phrase[target] = pool.phrase[source]
    pool.factor[target] = pool.factor[source]
    pool.outlook[target] = pool.outlook[source]
