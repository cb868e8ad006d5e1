"""All token sequences at once: forward and backward through whatever could have been said.

A state is the last two tokens, and whether the last one still sounds or a blank came after it. Sums
are kept as probabilities, each frame's divided by their total, so that they stay within the range
of a float. `forward_backward` does the same for one sequence.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from asr.compiled import compiled

Floats = NDArray[np.float64]

_LEAST = 1e-10  # of a frame's probability: what is less is not followed


class Lattice(NamedTuple):
    """An emission, a trigram, and room for the sums.

    Attributes:
        emission: (T, V) probabilities, the blank's first.
        trigram: (V, V, V) of [a, b, c].
        turned: (V, V, V) the same, of [b, c, a].
        sounding: (T + 1, V, V) what leads to tokens a and b, b sounding, behind so many frames.
        silent: (T + 1, V, V) the same with a blank behind b.
        scales: (T,) what the sums of each frame were divided by.
        behind_sounding: (V, V) what follows a and b, b sounding.
        behind_silent: (V, V) the same with a blank behind b.
        entered: (V, V) of [b, c]: what follows c, begun in a frame behind b.
        followed: (V, V) of [b, a]: what follows a and b where another token begins.
    """

    emission: Floats
    trigram: Floats
    turned: Floats
    sounding: Floats
    silent: Floats
    scales: Floats
    behind_sounding: Floats
    behind_silent: Floats
    entered: Floats
    followed: Floats


def make_lattice(emission: Floats, trigram: Floats, turned: Floats) -> Lattice:
    """Make the arrays that `sum_over_sequences` computes in."""
    n_frames, n_tokens = emission.shape
    sums, states = (n_frames + 1, n_tokens, n_tokens), (n_tokens, n_tokens)
    room = (np.empty(states), np.empty(states), np.empty(states), np.empty(states))
    forward = np.empty(sums), np.empty(sums), np.empty(n_frames)
    return Lattice(emission, trigram, turned, *forward, *room)


@compiled
def sum_over_sequences(lattice: Lattice, occupancy: Floats) -> float:
    """Return the logarithm of the sum, and fill (T, V) with how probable each token is."""
    n_frames = len(lattice.emission)
    lattice.sounding[0] = 0.0
    lattice.silent[0] = 0.0
    lattice.silent[0, 0, 0] = 1.0
    result = 0.0
    for frame in range(n_frames):
        _advance(lattice, frame)
        result += math.log(lattice.scales[frame])
    total = 0.0
    for a in range(len(lattice.trigram)):
        for b in range(len(lattice.trigram)):
            reached = lattice.sounding[n_frames, a, b] + lattice.silent[n_frames, a, b]
            total += reached * lattice.trigram[a, b, 0]
    for a in range(len(lattice.trigram)):
        for b in range(len(lattice.trigram)):
            lattice.behind_sounding[a, b] = lattice.trigram[a, b, 0] / total
            lattice.behind_silent[a, b] = lattice.trigram[a, b, 0] / total
    for frame in range(n_frames - 1, -1, -1):
        _occupy(lattice, frame, occupancy[frame])
        _retreat(lattice, frame)
    return result + math.log(total)


@compiled
def _advance(lattice: Lattice, frame: int) -> None:
    """Go one frame on: each state stays, falls silent, or is left for another token."""
    emission, trigram = lattice.emission[frame], lattice.trigram
    was_sounding, was_silent = lattice.sounding[frame], lattice.silent[frame]
    sounding, silent = lattice.sounding[frame + 1], lattice.silent[frame + 1]
    n_tokens, scale = len(trigram), 0.0
    for b in range(n_tokens):
        begun = sounding[b]  # of c
        for c in range(n_tokens):
            begun[c] = was_sounding[b, c]
        repeated = 0.0  # b begun again with no blank between, which CTC takes for b sounding on
        for a in range(n_tokens):
            reached = was_sounding[a, b] + was_silent[a, b]
            silent[a, b] = reached * emission[0]
            scale += silent[a, b]
            if not reached <= _LEAST:  # what is no number goes on, too
                repeated += was_sounding[a, b] * trigram[a, b, b]
                _add(trigram[a, b], reached, begun)
        begun[b] -= repeated
        begun[0] = 0.0
        for c in range(1, n_tokens):
            begun[c] *= emission[c]
            scale += begun[c]
    lattice.scales[frame] = scale
    for a in range(n_tokens):
        for b in range(n_tokens):
            sounding[a, b] /= scale
            silent[a, b] /= scale


@compiled
def _occupy(lattice: Lattice, frame: int, row: Floats) -> None:
    """Add up the probability of each token in a frame: what led to it, times what follows."""
    sounding, silent = lattice.sounding[frame + 1], lattice.silent[frame + 1]
    row[:] = 0.0
    blank = 0.0
    for a in range(len(row)):
        for b in range(len(row)):
            row[b] += sounding[a, b] * lattice.behind_sounding[a, b]
            blank += silent[a, b] * lattice.behind_silent[a, b]
    row[0] += blank


@compiled
def _retreat(lattice: Lattice, frame: int) -> None:
    """Go one frame back: what follows a state, from what follows those that it leads to."""
    emission, scale = lattice.emission[frame], lattice.scales[frame]
    entered, followed = lattice.entered, lattice.followed
    n_tokens = len(emission)
    for b in range(n_tokens):
        followed[b] = 0.0
        entered[b, 0] = 0.0
        for c in range(1, n_tokens):
            entered[b, c] = lattice.behind_sounding[b, c] * emission[c] / scale
            if not emission[c] <= _LEAST:
                _add(lattice.turned[b, c], entered[b, c], followed[b])
    for a in range(n_tokens):
        for b in range(n_tokens):
            onward = lattice.behind_silent[a, b] * emission[0] / scale + followed[b, a]
            repeated = lattice.trigram[a, b, b] * entered[b, b]
            lattice.behind_silent[a, b] = onward
            lattice.behind_sounding[a, b] = onward - repeated + entered[a, b]


@compiled
def _add(values: Floats, factor: float, result: Floats) -> None:
    for i in range(len(values)):
        result[i] += values[i] * factor
