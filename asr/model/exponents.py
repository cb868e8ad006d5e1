"""Exponents: numbers beyond the range of a float, as a float and a count of powers of two.

A sum over alignments is the product of thousands of probabilities. Neighbouring positions of a
sequence differ by orders of magnitude, so each has an exponent of its own.
"""

import math

import numpy as np
from numpy.typing import NDArray

from asr.compiled import compiled

_STEP = 128  # powers of two per unit of an exponent
_UNIT = 2.0**_STEP
LOG_UNIT = _STEP * math.log(2.0)
_LOWEST, _HIGHEST = -8, 7  # the exponents that a float can represent
_POWERS = 2.0 ** (_STEP * np.arange(_LOWEST, _HIGHEST + 1))
_STEEPEST = 3  # the most that an exponent falls from one position to the next


@compiled
def rescale(
    one: NDArray[np.float64],
    other: NDArray[np.float64],
    exponents: NDArray[np.int64],
    ratios: NDArray[np.float64],
    way: tuple[int, int, int],
) -> None:
    """Bring the two sums of each position back into range, by changing its exponent.

    Args:
        one: (n,) a sum of each position.
        other: (n,) another one.
        exponents: (n,) of both.
        ratios: (n,) gets the factor that brings a sum of the position before to this exponent.
        way: The first position, the last one, and the step, 1 or -1.
    """
    start, end, step = way
    before = exponents[start]
    for u in range(start, end + step, step):
        old, new = exponents[u], before
        peak = max(one[u], other[u])
        if peak > 0.0:
            new = max(old + _exponent(peak), before - _STEEPEST)
        if new != old:
            factor = power(old - new)
            one[u] *= factor
            other[u] *= factor
            exponents[u] = new
        ratios[u] = power(before - new)
        before = new


@compiled
def _exponent(value: float) -> int:
    """Count by how many units a positive value is outside the range around one."""
    result = 0
    while value < 1.0 / _UNIT and result > _LOWEST:
        value *= _UNIT
        result -= 1
    while value > _UNIT and result < _HIGHEST:
        value /= _UNIT
        result += 1
    return result


@compiled
def power(exponent: int) -> float:
    """Turn an exponent into a factor: 0 if it is too low for a float, infinite if too high."""
    if exponent < _LOWEST:
        return 0.0
    result: float = _POWERS[exponent - _LOWEST] if exponent <= _HIGHEST else math.inf
    return result
