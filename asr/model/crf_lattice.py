"""The sum over all token sequences, by CTC and a trigram; and how probable each token then is.

A state is the last two tokens, a and b, and whether the current frame is in b or in a blank after
it. Sums are kept as probabilities. Each frame's are divided by their total, which keeps them within
the range of a float. `forward_backward` does the same for one sequence.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from asr.compiled import compiled

Floats = NDArray[np.float64]

_LEAST = 1e-10  # of a frame's probability: lower sums are not followed


class Lattice(NamedTuple):
    """An emission, a trigram, and the arrays to compute in."""

    emission: Floats  # (T, V) probabilities, the blank's first
    trigram: Floats  # (V, V, V) indexed [a, b, c]
    rotated: Floats  # (V, V, V) the same, indexed [b, c, a]
    to_token: Floats  # (T + 1, V, V) sum of what leads to a and b after t frames, the last in b
    to_blank: Floats  # (T + 1, V, V) the same, the last in a blank after b
    scales: Floats  # (T,) what the sums of each frame were divided by
    from_token: Floats  # (V, V) sum of what follows a and b, from b
    from_blank: Floats  # (V, V) the same, from a blank after b
    entered: Floats  # (V, V) indexed [b, c]: what follows once c is entered after b
    left: Floats  # (V, V) indexed [b, a]: what follows a and b where another token is entered


def make_lattice(emission: Floats, trigram: Floats, rotated: Floats) -> Lattice:
    """Make the arrays that `sum_over_sequences` computes in."""
    n_frames, n_tokens = emission.shape
    to_token, to_blank = np.empty((2, n_frames + 1, n_tokens, n_tokens))
    rest = np.empty((4, n_tokens, n_tokens))
    return Lattice(emission, trigram, rotated, to_token, to_blank, np.empty(n_frames), *rest)


@compiled
def sum_over_sequences(lattice: Lattice, occupancy: Floats) -> float:
    """Return the logarithm of the sum, and fill (T, V) with how probable each token is."""
    n_frames, n_tokens = lattice.emission.shape
    lattice.to_token[0] = 0.0
    lattice.to_blank[0] = 0.0
    lattice.to_blank[0, 0, 0] = 1.0
    result = 0.0
    for frame in range(n_frames):
        _advance(lattice, frame)
        result += math.log(lattice.scales[frame])
    total = 0.0
    for a in range(n_tokens):
        for b in range(n_tokens):
            reached = lattice.to_token[n_frames, a, b] + lattice.to_blank[n_frames, a, b]
            total += reached * lattice.trigram[a, b, 0]
    for a in range(n_tokens):
        for b in range(n_tokens):
            lattice.from_token[a, b] = lattice.trigram[a, b, 0] / total
            lattice.from_blank[a, b] = lattice.trigram[a, b, 0] / total
    for frame in range(n_frames - 1, -1, -1):
        _occupy(lattice, frame, occupancy[frame])
        _retreat(lattice, frame)
    return result + math.log(total)


@compiled
def _advance(lattice: Lattice, frame: int) -> None:
    """Go one frame on: each state stays, goes to its blank, or is left for another token."""
    emission, trigram = lattice.emission[frame], lattice.trigram
    old_token, old_blank = lattice.to_token[frame], lattice.to_blank[frame]
    new_token, new_blank = lattice.to_token[frame + 1], lattice.to_blank[frame + 1]
    n_tokens, scale = len(trigram), 0.0
    for b in range(n_tokens):
        entered = new_token[b]  # of c
        for c in range(n_tokens):
            entered[c] = old_token[b, c]
        repeated = 0.0  # b after b with no blank between, which CTC reads as one b
        for a in range(n_tokens):
            reached = old_token[a, b] + old_blank[a, b]
            new_blank[a, b] = reached * emission[0]
            scale += new_blank[a, b]
            if not reached <= _LEAST:  # NaN is followed, too
                repeated += old_token[a, b] * trigram[a, b, b]
                _add(trigram[a, b], reached, entered)
        entered[b] -= repeated
        entered[0] = 0.0
        for c in range(1, n_tokens):
            entered[c] *= emission[c]
            scale += entered[c]
    lattice.scales[frame] = scale
    for a in range(n_tokens):
        for b in range(n_tokens):
            new_token[a, b] /= scale
            new_blank[a, b] /= scale


@compiled
def _occupy(lattice: Lattice, frame: int, row: Floats) -> None:
    """Add up the probability of each token in a frame: what leads to it, times what follows."""
    to_token, to_blank = lattice.to_token[frame + 1], lattice.to_blank[frame + 1]
    row[:] = 0.0
    blank = 0.0
    for a in range(len(row)):
        for b in range(len(row)):
            row[b] += to_token[a, b] * lattice.from_token[a, b]
            blank += to_blank[a, b] * lattice.from_blank[a, b]
    row[0] += blank


@compiled
def _retreat(lattice: Lattice, frame: int) -> None:
    """Go one frame back: what follows a state, from what follows those that it leads to."""
    emission, scale = lattice.emission[frame], lattice.scales[frame]
    entered, left = lattice.entered, lattice.left
    n_tokens = len(emission)
    for b in range(n_tokens):
        left[b] = 0.0
        entered[b, 0] = 0.0
        for c in range(1, n_tokens):
            entered[b, c] = lattice.from_token[b, c] * emission[c] / scale
            if not emission[c] <= _LEAST:
                _add(lattice.rotated[b, c], entered[b, c], left[b])
    for a in range(n_tokens):
        for b in range(n_tokens):
            onward = lattice.from_blank[a, b] * emission[0] / scale + left[b, a]
            repeated = lattice.trigram[a, b, b] * entered[b, b]
            lattice.from_blank[a, b] = onward
            lattice.from_token[a, b] = onward - repeated + entered[a, b]


@compiled
def _add(values: Floats, factor: float, result: Floats) -> None:
    """Add a multiple of a row to another."""
    for i in range(len(values)):
        result[i] += values[i] * factor
