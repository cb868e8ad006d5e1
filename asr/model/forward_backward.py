"""Forward and backward: how probable a token sequence is, and when each of its tokens is spoken.

Position u of a sequence is token u with the blank before it; the last position is a blank alone.
Sums over alignments are kept as probabilities rather than logarithms, so that a step is additions
and multiplications. To stay within the range of a float, each position has an exponent, which is
adjusted every few frames; see `exponents`.

Only positions are visited that the frames so far can have reached, and from which the remaining
frames can reach the end.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from asr.compiled import compiled
from asr.model.exponents import LOG_UNIT, power, rescale

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

N_FRAMES_A_BLOCK = 8  # between two adjustments of the exponents
_MAX_WEIGHT = 2  # an exponent: below it, whatever left the range of a float is negligible
_MAX_ERROR = 1e-6


class Lattice(NamedTuple):
    """An utterance, its tokens, and the arrays to compute in.

    Of the U + 2 columns, column u is position u; in `to_blank` and `to_token` it is column u + 1.
    """

    emission: Floats  # (T, V) probabilities, the blank's first; T is enough for the tokens
    tokens: NDArray[np.uint32]  # (U + 1,) the sequence, and any token after it
    windows: Integers  # (T, 2) first and last position to visit in each frame
    to_blank: Floats  # (T, U + 2) sum of what ends in a position's blank
    to_token: Floats  # (T, U + 2) the same, in its token
    exponents: Integers  # (T // N_FRAMES_A_BLOCK + 1, U + 2) of both, for each block of frames
    from_exponents: Integers  # (U + 2,) of the next two
    from_blank: Floats  # (U + 2,) sum of what follows a position's blank in the current frame
    from_token: Floats  # (U + 2,) the same, its token
    near_blank: Floats  # (U + 2,) sums of the frame that a step comes from, made ready for it
    near_token: Floats  # (U + 2,) the same
    emitted: Floats  # (U + 2,) probabilities of the tokens in the current frame, from `first` on
    skips: Floats  # (U + 2,) 1 where a token may follow the one before without a blank, else 0
    ratios: Floats  # (U + 2,) brings a sum of the position that a step comes from to this exponent
    skip_ratios: Floats  # (U + 2,) `skips` times `ratios`
    weights: Floats  # (U + 2,) brings what ends in a position times what follows to the total's


def forward_backward(emission: Floats, tokens: Sequence[int], occupancy: Floats) -> float:
    """Sum over all alignments; compute the probability of each token in each frame, given them.

    Args:
        emission: (T, V) probabilities, the blank's first; T >= 1 is enough for the tokens.
        tokens: Token ids, 1 to V - 1.
        occupancy: (T, V) filled so that each frame sums to one; (0, V) computes only the sum.

    Returns:
        Minus the logarithm of the sum. NaN if it cannot be computed this way: the sum is zero or
        not a number, or too much of it was outside the range of a float.
    """
    n_frames, n_columns = len(emission), len(tokens) + 2
    return _forward_backward(
        emission,
        np.array([*tokens, 0], np.uint32),
        np.empty((n_frames, 2), np.int64),
        np.empty((2, n_frames, n_columns)),
        np.empty((n_frames // N_FRAMES_A_BLOCK + 2, n_columns), np.int64),
        np.empty((9, n_columns)),
        occupancy,
    )


@compiled
def _forward_backward(
    emission: Floats,
    tokens: NDArray[np.uint32],
    windows: Integers,
    sums: Floats,
    exponents: Integers,
    rows: Floats,
    occupancy: Floats,
) -> float:
    """Name the arrays and compute in them; Python passes few, since each costs it time."""
    lattice = Lattice(
        *(emission, tokens, windows, sums[0], sums[1], exponents[1:], exponents[0]),
        *(rows[0], rows[1], rows[2], rows[3], rows[4], rows[5], rows[6], rows[7], rows[8]),
    )
    n_tokens = len(tokens) - 1
    for u in range(n_tokens + 2):
        lattice.skips[u] = 1.0 if 0 < u < n_tokens and tokens[u] != tokens[u - 1] else 0.0
    _fill_windows(lattice)
    _forward(lattice)
    total, exponent = _total(lattice)
    if not 0.0 < total < math.inf:
        return math.nan
    if len(occupancy) and not _backward(lattice, total, exponent, occupancy):
        return math.nan
    return -math.log(total) - exponent * LOG_UNIT


@compiled
def _fill_windows(lattice: Lattice) -> None:
    """Enter each position as early, and leave it as late, as the tokens allow."""
    skips, windows, n_tokens = lattice.skips, lattice.windows, len(lattice.tokens) - 1
    last, entry = 0, 1
    for frame in range(len(windows)):
        if last < n_tokens and frame >= entry:
            last += 1
            entry += 1 if last == n_tokens or skips[last] else 2
        windows[frame, 1] = last
    first, leave = n_tokens, len(windows) - 1
    for frame in range(len(windows) - 1, -1, -1):
        if first > 0 and frame <= leave:
            first -= 1
            leave -= 1 if first == 0 or skips[first] else 2
        windows[frame, 0] = first


@compiled
def _forward(lattice: Lattice) -> None:
    """Fill `to_blank` and `to_token`: an alignment stays in a position, or enters the next.

    Column `first` of each frame, the position before the first one visited, is zero.
    """
    emission, tokens, emitted = lattice.emission, lattice.tokens, lattice.emitted
    lattice.ratios[0] = lattice.skip_ratios[0] = 0.0
    lattice.exponents[0, 0] = 0
    lattice.to_token[0, 0] = 0.0
    lattice.to_blank[0, 1] = emission[0, 0]
    lattice.to_token[0, 1] = emission[0, tokens[0]] if len(tokens) > 1 else 0.0
    for frame in range(1, len(emission)):
        first, last = lattice.windows[frame]
        old_blank, old_token = lattice.to_blank[frame - 1], lattice.to_token[frame - 1]
        if frame % N_FRAMES_A_BLOCK == 0:
            _open_block(lattice, frame)
            old_blank, old_token = lattice.near_blank, lattice.near_token
        if last > lattice.windows[frame - 1, 1]:
            _reach(lattice, frame, old_blank, old_token)
        _emit(emission[frame], tokens[first : last + 1], emitted)
        if last == len(tokens) - 1:
            emitted[last - first] = 0.0
        here, shifted = slice(first, last + 1), slice(first + 1, last + 2)
        blank, token, before = old_blank[shifted], old_token[shifted], old_token[here]
        ratios, skip_ratios = lattice.ratios[here], lattice.skip_ratios[here]
        new_blank, new_token = lattice.to_blank[frame, shifted], lattice.to_token[frame, shifted]
        for i in range(len(new_blank)):
            new_blank[i] = (blank[i] + before[i] * ratios[i]) * emission[frame, 0]
        for i in range(len(new_token)):
            new_token[i] = (token[i] + blank[i] + before[i] * skip_ratios[i]) * emitted[i]
        lattice.to_token[frame, first] = 0.0


@compiled
def _open_block(lattice: Lattice, frame: int) -> None:
    """Copy the frame before to `near_blank` and `near_token`, with new exponents."""
    first, last = lattice.windows[frame - 1]
    block = frame // N_FRAMES_A_BLOCK
    blank, token, ratios = lattice.near_blank, lattice.near_token, lattice.ratios
    for u in range(first, last + 1):
        blank[u + 1] = lattice.to_blank[frame - 1, u + 1]
        token[u + 1] = lattice.to_token[frame - 1, u + 1]
        lattice.exponents[block, u] = lattice.exponents[block - 1, u]
    token[first] = 0.0
    rescale(blank[1:], token[1:], lattice.exponents[block], ratios, (first, last, 1))
    for u in range(first, last + 1):
        lattice.skip_ratios[u] = lattice.skips[u] * ratios[u]


@compiled
def _reach(lattice: Lattice, frame: int, old_blank: Floats, old_token: Floats) -> None:
    """Prepare the last position of a frame, which is reached in it for the first time."""
    last, exponents = lattice.windows[frame, 1], lattice.exponents[frame // N_FRAMES_A_BLOCK]
    old_blank[last + 1] = old_token[last + 1] = 0.0
    exponents[last] = exponents[last - 1]
    lattice.ratios[last], lattice.skip_ratios[last] = 1.0, lattice.skips[last]


@compiled
def _emit(emission: Floats, tokens: NDArray[np.uint32], emitted: Floats) -> None:
    """Look up the probabilities of tokens in a frame."""
    for i in range(len(tokens)):
        emitted[i] = emission[tokens[i]]


@compiled
def _total(lattice: Lattice) -> tuple[float, int]:
    """Add up what ends in the last token and in the blank after it; return its exponent too."""
    n_frames, n_tokens = len(lattice.emission), len(lattice.tokens) - 1
    exponents = lattice.exponents[(n_frames - 1) // N_FRAMES_A_BLOCK]
    if not n_tokens:
        return lattice.to_blank[n_frames - 1, 1], exponents[0]
    total, exponent = lattice.to_token[n_frames - 1, n_tokens], exponents[n_tokens - 1]
    if lattice.windows[n_frames - 1, 1] == n_tokens:
        higher = max(exponent, exponents[n_tokens])
        total *= power(exponent - higher)
        total += lattice.to_blank[n_frames - 1, n_tokens + 1] * power(exponents[n_tokens] - higher)
        exponent = higher
    return total, exponent


@compiled
def _backward(lattice: Lattice, total: float, exponent: int, occupancy: Floats) -> bool:
    """Sum what follows each position, and fill the occupancy; False if it is out of range."""
    n_frames = len(lattice.emission)
    _start_from_the_end(lattice, total)
    for frame in range(n_frames - 1, -1, -1):
        first, last = lattice.windows[frame]
        if frame == n_frames - 1 or frame % N_FRAMES_A_BLOCK == N_FRAMES_A_BLOCK - 1:
            _weigh(lattice, frame, exponent, first, last)
        if not abs(_occupy(lattice, frame, occupancy[frame]) - 1.0) < _MAX_ERROR:
            return False
        if frame:
            _retreat(lattice, frame, exponent)
    return True


@compiled
def _start_from_the_end(lattice: Lattice, total: float) -> None:
    """Let one over the total follow the last token and the blank after it."""
    n_tokens = len(lattice.tokens) - 1
    first, last = lattice.windows[len(lattice.emission) - 1]
    for u in range(first, last + 1):
        lattice.from_exponents[u] = 0
        lattice.from_blank[u] = 1.0 / total if u == n_tokens else 0.0
        lattice.from_token[u] = 1.0 / total if u == n_tokens - 1 else 0.0
        lattice.ratios[u], lattice.skip_ratios[u] = 1.0, lattice.skips[u + 1]


@compiled
def _weigh(lattice: Lattice, frame: int, exponent: int, first: int, last: int) -> None:
    """Fill the weights of some positions."""
    exponents = lattice.exponents[frame // N_FRAMES_A_BLOCK]
    for u in range(first, last + 1):
        weight = exponents[u] + lattice.from_exponents[u] - exponent
        lattice.weights[u] = power(weight) if weight <= _MAX_WEIGHT else math.inf


@compiled
def _occupy(lattice: Lattice, frame: int, row: Floats) -> float:
    """Add up the probabilities of a frame's positions, token by token; return their sum."""
    first, last = lattice.windows[frame]
    here, shifted = slice(first, last + 1), slice(first + 1, last + 2)
    blank, token = lattice.to_blank[frame, shifted], lattice.to_token[frame, shifted]
    from_blank, from_token = lattice.from_blank[here], lattice.from_token[here]
    weights, tokens = lattice.weights[here], lattice.tokens[here]
    row[:] = 0.0
    silent = spoken = 0.0
    for i in range(len(weights)):
        silent += blank[i] * from_blank[i] * weights[i]
        probability = token[i] * from_token[i] * weights[i]
        spoken += probability
        row[tokens[i]] += probability
    row[0] += silent
    return silent + spoken


@compiled
def _retreat(lattice: Lattice, frame: int, exponent: int) -> None:
    """Go from what follows a frame's positions to what follows those of the frame before."""
    first, last = lattice.windows[frame]
    if frame % N_FRAMES_A_BLOCK == 0:
        _rescale_from(lattice, first, last)
    here = slice(first, last + 1)
    from_blank, from_token = lattice.from_blank[here], lattice.from_token[here]
    blank, token, emitted = lattice.near_blank[here], lattice.near_token[here], lattice.emitted
    _emit(lattice.emission[frame], lattice.tokens[here], emitted)
    for i in range(len(blank)):
        blank[i] = from_blank[i] * lattice.emission[frame, 0]
    for i in range(len(token)):
        token[i] = from_token[i] * emitted[i]
    lattice.near_blank[last + 1] = lattice.near_token[last + 1] = 0.0
    first_before, last_before = lattice.windows[frame - 1]
    if first_before < first:
        _leave(lattice, frame, exponent)
    here, after = slice(first_before, last_before + 1), slice(first_before + 1, last_before + 2)
    blank, blank_after = lattice.near_blank[here], lattice.near_blank[after]
    token, token_after = lattice.near_token[here], lattice.near_token[after]
    ratios, skip_ratios = lattice.ratios[here], lattice.skip_ratios[here]
    from_blank, from_token = lattice.from_blank[here], lattice.from_token[here]
    for i in range(len(from_token)):
        entered = blank_after[i] * ratios[i]
        from_token[i] = token[i] + entered + token_after[i] * skip_ratios[i]
    for i in range(len(from_blank)):
        from_blank[i] = blank[i] + token[i]


@compiled
def _leave(lattice: Lattice, frame: int, exponent: int) -> None:
    """Prepare the first position of the frame before, which is left in this one at the latest."""
    u = lattice.windows[frame - 1, 0]
    lattice.near_blank[u] = lattice.near_token[u] = 0.0
    lattice.from_exponents[u] = lattice.from_exponents[u + 1]
    lattice.ratios[u], lattice.skip_ratios[u] = 1.0, lattice.skips[u + 1]
    _weigh(lattice, frame - 1, exponent, u, u)


@compiled
def _rescale_from(lattice: Lattice, first: int, last: int) -> None:
    """Give what follows the positions of a frame new exponents."""
    exponents, ratios = lattice.from_exponents, lattice.ratios
    rescale(lattice.from_blank, lattice.from_token, exponents, ratios, (last, first, -1))
    for u in range(first, last + 1):
        lattice.skip_ratios[u] = lattice.skips[u + 1] * ratios[u]
