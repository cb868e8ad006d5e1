"""Viterbi: the best path through the states of a CTC alignment."""

import numpy as np
from numpy.typing import NDArray

from asr.compiled import compiled
from asr.search.emission import Emission


@compiled
def best_path(
    emission: Emission,
    states: NDArray[np.int64],
    best: NDArray[np.float64],
    steps: NDArray[np.int8],
    path: NDArray[np.int64],
) -> float:
    """Find the best path from one of the first two states to one of the last two.

    From one frame to the next a path stays, goes one state on, or skips a blank between two
    different tokens. Of equally probable steps the shorter wins. `best` and `steps` are scratch.

    Args:
        emission: (T, V) log probabilities, T at least 1.
        states: (S,) the token of each state: even ones are blanks.
        best: (S,).
        steps: (T, S).
        path: (T,) gets the state of each frame.

    Returns:
        The path's score in nats.
    """
    n_frames, n_states = len(emission), len(states)
    best[:] = -np.inf
    for state in range(min(2, n_states)):
        best[state] = emission[0, states[state]]
    for frame in range(1, n_frames):
        for state in range(n_states - 1, -1, -1):  # downwards: below is still the frame before
            arrival, step = best[state], 0
            if state >= 1 and best[state - 1] > arrival:
                arrival, step = best[state - 1], 1
            is_skip = state >= 2 and state % 2 == 1 and states[state] != states[state - 2]
            if is_skip and best[state - 2] > arrival:
                arrival, step = best[state - 2], 2
            best[state] = arrival + emission[frame, states[state]]
            steps[frame, state] = step
    state = n_states - 1
    if n_states > 1 and best[n_states - 2] > best[n_states - 1]:
        state = n_states - 2
    score: float = best[state]
    for frame in range(n_frames - 1, -1, -1):
        path[frame] = state
        state -= steps[frame, state]
    return score
