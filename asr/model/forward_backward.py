"""Forward and backward: the probability of a token sequence, and when its tokens are said.

A position u of a sequence is the blank before token u, and token u; the last is a blank alone. The
sums over alignments are kept as probabilities, not as their logarithms: so a step is additions and
multiplications. What would leave the range of a float is kept in it by powers of two, one for every
position, which are looked after every few frames.

Only positions are visited from which there are frames enough to the end, and to which there were.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from asr.compiled import compiled

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

N_FRAMES_A_BLOCK = 8  # between two looks at the exponents
_STEP = 128  # an exponent counts so many powers of two
_UNIT = 2.0**_STEP
_LOWEST, _HIGHEST = -8, 7  # the exponents that a float can have
_POWERS = 2.0 ** (_STEP * np.arange(_LOWEST, _HIGHEST + 1))
_STEEPEST = 3  # a position's exponent is at most so far below the one of the position before
_MAX_WEIGHT = 2  # an exponent: below it, all that fell out of a float's range weighs nothing
_MAX_ERROR = 1e-6


class Lattice(NamedTuple):
    """An utterance, its tokens, and room for what leads to each position of them.

    Attributes:
        emission: (T, V) probabilities, the blank's first; T is enough for the tokens.
        tokens: (U + 1,) the sequence, and any token behind it.
        windows: (T, 2) room for the first and last position in each frame.
        blanks: (T, U + 2) room; column u + 1 is position u.
        labels: (T, U + 2) room; column u + 1 is position u.
        exponents: (T // N_FRAMES_A_BLOCK + 1, U + 2) room.
        behind: (U + 2,) room for the exponents of what follows.
        room: (9, U + 2) room; the first row for whether a token may follow the last at once.
    """

    emission: Floats
    tokens: NDArray[np.uint32]
    windows: Integers
    blanks: Floats
    labels: Floats
    exponents: Integers
    behind: Integers
    room: Floats


def make_lattice(emission: Floats, tokens: Sequence[int]) -> Lattice:
    """Make the arrays that `forward_backward` computes in, for at least one frame."""
    n_frames, n_columns = len(emission), len(tokens) + 2
    return Lattice(
        emission,
        np.array([*tokens, 0], np.uint32),
        np.empty((n_frames, 2), np.int64),
        np.empty((n_frames, n_columns)),
        np.empty((n_frames, n_columns)),
        np.empty((n_frames // N_FRAMES_A_BLOCK + 1, n_columns), np.int64),
        np.empty(n_columns, np.int64),
        np.empty((9, n_columns)),
    )


@compiled
def forward_backward(lattice: Lattice, occupancy: Floats) -> float:
    """Sum over all alignments; tell the probability of each token in each frame, given the tokens.

    Args:
        lattice: Of `make_lattice`; its room is filled.
        occupancy: (T, V) filled, each frame's sum being one; (0, V), and only the sum is computed.

    Returns:
        Minus the logarithm of the sum, or NaN where it cannot be told: the sum is zero or not a
        number, or too much of it was outside the range of a float.
    """
    tokens, skips = lattice.tokens, lattice.room[0]
    n_tokens = len(tokens) - 1
    for u in range(n_tokens + 2):
        skips[u] = 1.0 if 0 < u < n_tokens and tokens[u] != tokens[u - 1] else 0.0
    _fill_windows(tokens[:n_tokens], lattice.windows)
    _forward(lattice)
    total, exponent = _total(lattice)
    if not 0.0 < total < math.inf:
        return math.nan
    if len(occupancy) and not _backward(lattice, total, exponent, occupancy):
        return math.nan
    return -math.log(total) - exponent * _STEP * math.log(2.0)


@compiled
def _fill_windows(tokens: NDArray[np.uint32], windows: Integers) -> None:
    n_tokens, n_frames = len(tokens), len(windows)
    last, entry = 0, 1
    for frame in range(n_frames):
        if last < n_tokens and frame >= entry:
            last += 1
            entry += 1
            if last < n_tokens and tokens[last] == tokens[last - 1]:
                entry += 1
        windows[frame, 1] = last
    first, leave = n_tokens, n_frames - 1
    for frame in range(n_frames - 1, -1, -1):
        if first > 0 and frame <= leave:
            first -= 1
            leave -= 1
            if first > 0 and tokens[first] == tokens[first - 1]:
                leave -= 1
        windows[frame, 0] = first


@compiled
def _forward(lattice: Lattice) -> None:
    """Fill `blanks` and `labels`: the sums of what ends in a position.

    Column `first` of each frame, the position before the first, is zero.
    """
    emission, tokens, blanks, labels = (
        lattice.emission,
        lattice.tokens,
        lattice.blanks,
        lattice.labels,
    )
    skips, ratios, skip_ratios, heard = (
        lattice.room[0],
        lattice.room[1],
        lattice.room[2],
        lattice.room[3],
    )
    n_tokens = len(tokens) - 1
    ratios[0] = skip_ratios[0] = 0.0
    lattice.exponents[0, 0] = 0
    labels[0, 0] = 0.0
    blanks[0, 1] = emission[0, 0]
    labels[0, 1] = emission[0, tokens[0]] if n_tokens else 0.0
    for frame in range(1, len(emission)):
        first, last = lattice.windows[frame]
        old_blanks, old_labels = blanks[frame - 1], labels[frame - 1]
        if frame % N_FRAMES_A_BLOCK == 0:
            old_blanks, old_labels = lattice.room[4], lattice.room[5]
            _open_block(lattice, frame, ratios, skip_ratios)
        if last > lattice.windows[frame - 1, 1]:
            exponents = lattice.exponents[frame // N_FRAMES_A_BLOCK]
            old_blanks[last + 1] = old_labels[last + 1] = 0.0
            exponents[last] = exponents[last - 1]
            ratios[last], skip_ratios[last] = 1.0, skips[last]
        _gather(emission[frame], tokens[first : last + 1], heard)
        if last == n_tokens:
            heard[last - first] = 0.0
        _advance_blanks(
            old_blanks[first + 1 : last + 2],
            old_labels[first : last + 1],
            ratios[first : last + 1],
            emission[frame, 0],
            blanks[frame, first + 1 : last + 2],
        )
        _advance_labels(
            old_blanks[first + 1 : last + 2],
            old_labels[first + 1 : last + 2],
            old_labels[first : last + 1],
            skip_ratios[first : last + 1],
            heard,
            labels[frame, first + 1 : last + 2],
        )
        labels[frame, first] = 0.0


@compiled
def _open_block(lattice: Lattice, frame: int, ratios: Floats, skip_ratios: Floats) -> None:
    """Copy the frame before, in new exponents, to rows 4 and 5 of the room."""
    first, last = lattice.windows[frame - 1]
    block = frame // N_FRAMES_A_BLOCK
    blanks, labels = lattice.room[4], lattice.room[5]
    for u in range(first, last + 1):
        blanks[u + 1] = lattice.blanks[frame - 1, u + 1]
        labels[u + 1] = lattice.labels[frame - 1, u + 1]
        lattice.exponents[block, u] = lattice.exponents[block - 1, u]
    labels[first] = 0.0
    _rescale(blanks[1:], labels[1:], lattice.exponents[block], ratios, (first, last, 1))
    for u in range(first, last + 1):
        skip_ratios[u] = lattice.room[0, u] * ratios[u]


@compiled
def _total(lattice: Lattice) -> tuple[float, int]:
    """Add up what ends in the last token and in the blank behind it; tell its exponent too."""
    n_frames, n_tokens = len(lattice.emission), len(lattice.tokens) - 1
    exponents = lattice.exponents[(n_frames - 1) // N_FRAMES_A_BLOCK]
    if not n_tokens:
        return lattice.blanks[n_frames - 1, 1], exponents[0]
    total, exponent = lattice.labels[n_frames - 1, n_tokens], exponents[n_tokens - 1]
    if lattice.windows[n_frames - 1, 1] == n_tokens:
        higher = max(exponent, exponents[n_tokens])
        total *= _power(exponent - higher)
        total += lattice.blanks[n_frames - 1, n_tokens + 1] * _power(exponents[n_tokens] - higher)
        exponent = higher
    return total, exponent


@compiled
def _gather(emission: Floats, tokens: NDArray[np.uint32], heard: Floats) -> None:
    for i in range(len(tokens)):
        heard[i] = emission[tokens[i]]


@compiled
def _advance_blanks(
    blanks: Floats, before: Floats, ratios: Floats, emission: float, result: Floats
) -> None:
    for i in range(len(result)):
        result[i] = (blanks[i] + before[i] * ratios[i]) * emission


@compiled
def _advance_labels(
    blanks: Floats,
    labels: Floats,
    before: Floats,
    skip_ratios: Floats,
    heard: Floats,
    result: Floats,
) -> None:
    for i in range(len(result)):
        result[i] = (labels[i] + blanks[i] + before[i] * skip_ratios[i]) * heard[i]


@compiled
def _backward(lattice: Lattice, total: float, exponent: int, occupancy: Floats) -> bool:
    """Sum what follows each position, and fill the occupancy, unless it is out of range."""
    tokens, blanks, labels, room = lattice.tokens, lattice.blanks, lattice.labels, lattice.room
    from_blanks, from_labels, weights = room[6], room[7], room[8]
    n_frames = len(lattice.emission)
    _start(lattice, total, room[1], room[2])
    for frame in range(n_frames - 1, -1, -1):
        first, last = lattice.windows[frame]
        if frame == n_frames - 1 or frame % N_FRAMES_A_BLOCK == N_FRAMES_A_BLOCK - 1:
            _weigh(lattice, frame, exponent, first, last)
        row = occupancy[frame]
        row[:] = 0.0
        occupied = _occupy(
            blanks[frame, first + 1 : last + 2],
            labels[frame, first + 1 : last + 2],
            from_blanks[first : last + 1],
            from_labels[first : last + 1],
            weights[first : last + 1],
            tokens[first : last + 1],
            row,
        )
        if not abs(occupied - 1.0) < _MAX_ERROR:
            return False
        if frame:
            _retreat(lattice, frame, exponent)
    return True


@compiled
def _start(lattice: Lattice, total: float, ratios: Floats, skip_ratios: Floats) -> None:
    """Let one over the total follow the last two states."""
    from_blanks, from_labels = lattice.room[6], lattice.room[7]
    n_tokens = len(lattice.tokens) - 1
    first, last = lattice.windows[len(lattice.emission) - 1]
    for u in range(first, last + 1):
        lattice.behind[u] = 0
        from_blanks[u] = 1.0 / total if u == n_tokens else 0.0
        from_labels[u] = 1.0 / total if u == n_tokens - 1 else 0.0
        ratios[u], skip_ratios[u] = 1.0, lattice.room[0, u + 1]


@compiled
def _weigh(lattice: Lattice, frame: int, exponent: int, first: int, last: int) -> None:
    """Find what brings a product of both directions to the total's exponent."""
    exponents, weights = lattice.exponents[frame // N_FRAMES_A_BLOCK], lattice.room[8]
    for u in range(first, last + 1):
        weight = exponents[u] + lattice.behind[u] - exponent
        weights[u] = _power(weight) if weight <= _MAX_WEIGHT else math.inf


@compiled
def _retreat(lattice: Lattice, frame: int, exponent: int) -> None:
    """Go from what follows the positions in a frame to what follows them in the one before."""
    emission, room, behind = lattice.emission[frame], lattice.room, lattice.behind
    skips, ratios, skip_ratios, heard = room[0], room[1], room[2], room[3]
    to_blanks, to_labels, from_blanks, from_labels = room[4], room[5], room[6], room[7]
    first, last = lattice.windows[frame]
    if frame % N_FRAMES_A_BLOCK == 0:
        _rescale(from_blanks, from_labels, behind, ratios, (last, first, -1))
        for u in range(first, last + 1):
            skip_ratios[u] = skips[u + 1] * ratios[u]
    _gather(emission, lattice.tokens[first : last + 1], heard)
    _multiply(from_blanks[first : last + 1], emission[0], to_blanks[first : last + 1])
    _multiply_each(from_labels[first : last + 1], heard, to_labels[first : last + 1])
    to_blanks[last + 1] = to_labels[last + 1] = 0.0
    first_before, last_before = lattice.windows[frame - 1]
    if first_before < first:
        to_blanks[first_before] = to_labels[first_before] = 0.0
        behind[first_before] = behind[first]
        ratios[first_before], skip_ratios[first_before] = 1.0, skips[first]
        _weigh(lattice, frame - 1, exponent, first_before, first_before)
    here, there = slice(first_before, last_before + 1), slice(first_before, last_before + 2)
    _retreat_labels(
        to_blanks[there], to_labels[there], ratios[here], skip_ratios[here], from_labels[here]
    )
    _add(to_blanks[here], to_labels[here], from_blanks[here])


@compiled
def _multiply(values: Floats, factor: float, result: Floats) -> None:
    for i in range(len(result)):
        result[i] = values[i] * factor


@compiled
def _multiply_each(values: Floats, factors: Floats, result: Floats) -> None:
    for i in range(len(result)):
        result[i] = values[i] * factors[i]


@compiled
def _add(values: Floats, others: Floats, result: Floats) -> None:
    for i in range(len(result)):
        result[i] = values[i] + others[i]


@compiled
def _retreat_labels(
    blanks: Floats, labels: Floats, ratios: Floats, skip_ratios: Floats, result: Floats
) -> None:
    for i in range(len(result)):
        result[i] = labels[i] + blanks[i + 1] * ratios[i] + labels[i + 1] * skip_ratios[i]


@compiled
def _occupy(
    blanks: Floats,
    labels: Floats,
    from_blanks: Floats,
    from_labels: Floats,
    weights: Floats,
    tokens: NDArray[np.uint32],
    row: Floats,
) -> float:
    """Add up the probabilities of one frame's positions, token by token."""
    silent = spoken = 0.0
    for i in range(len(weights)):
        silent += blanks[i] * from_blanks[i] * weights[i]
        probability = labels[i] * from_labels[i] * weights[i]
        spoken += probability
        row[tokens[i]] += probability
    row[0] += silent
    return silent + spoken


@compiled
def _rescale(
    blanks: Floats,
    labels: Floats,
    exponents: Integers,
    ratios: Floats,
    way: tuple[int, int, int],
) -> None:
    """Bring positions back into range; the way is the first, the last, and the step between two.

    `ratios` are filled with what a value of the position before is multiplied with.
    """
    start, end, step = way
    before = exponents[start]
    for u in range(start, end + step, step):
        old, new = exponents[u], before
        peak = max(blanks[u], labels[u])
        if peak > 0.0:
            new = max(old + _exponent(peak), before - _STEEPEST)
        if new != old:
            factor = _power(old - new)
            blanks[u] *= factor
            labels[u] *= factor
            exponents[u] = new
        ratios[u] = _power(before - new)
        before = new


@compiled
def _exponent(value: float) -> int:
    """Count by how many units a positive value is out of the range about one."""
    result = 0
    while value < 1.0 / _UNIT and result > _LOWEST:
        value *= _UNIT
        result -= 1
    while value > _UNIT and result < _HIGHEST:
        value /= _UNIT
        result += 1
    return result


@compiled
def _power(exponent: int) -> float:
    if exponent < _LOWEST:
        return 0.0
    result: float = _POWERS[exponent - _LOWEST] if exponent <= _HIGHEST else math.inf
    return result
