"""Hotwords: phrases that score higher, recognised as they are spelled, in one automaton.

A phrase is spelled in units with a boundary in front, between its words and behind. A state is the
longest end of what was said that begins a phrase (Aho and Corasick). What a phrase is worth is
given when its last boundary is there. Until then a state has a `promise`, in proportion to what is
spelled, by which beams are ranked; when the phrase breaks, the promise is gone, and nothing of it
was ever part of the score.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from asr.compiled import compiled

BOUNDARY = 0  # the unit between words; the others are 1 and greater


class Hotwords(NamedTuple):
    """The automaton; S states, state 0 that of nothing recognised.

    Attributes:
        next_state: (S, n_units) int32.
        boost: (S,) float64, of the phrases that are complete on reaching a state, as a factor.
        promise: (S,) float64, as a factor, 1 or more.
        token_units: (n,) int32, the units of all tokens, one token after the other.
        first_unit: (V + 1,) int32, where in them each token's begin.
    """

    next_state: NDArray[np.int32]
    boost: NDArray[np.float64]
    promise: NDArray[np.float64]
    token_units: NDArray[np.int32]
    first_unit: NDArray[np.int32]


@compiled
def hear_token(hotwords: Hotwords, state: int, token: int) -> int:
    """Go on with the units of a token."""
    for i in range(hotwords.first_unit[token], hotwords.first_unit[token + 1]):
        state = int(hotwords.next_state[state, hotwords.token_units[i]])
    return state


def make_hotwords(
    phrases: Mapping[tuple[int, ...], float], token_units: Sequence[Sequence[int]]
) -> Hotwords:
    """Make the automaton of some phrases.

    Args:
        phrases: For each phrase, in units with `BOUNDARY` between its words and at both ends, its
            boost in nats, above 0. Phrases within one another count each.
        token_units: Units of each token, 1 or greater, boundaries left out.

    References:
        Aho and Corasick, "Efficient String Matching", Communications of the ACM, 1975.
    """
    children: list[dict[int, int]] = [{}]
    boost, promise = [0.0], [0.0]
    for phrase, worth in phrases.items():
        state = 0
        for n_spelled, unit in enumerate(phrase):
            if unit not in children[state]:
                children[state][unit] = len(children)
                children.append({})
                boost.append(0.0)
                promise.append(0.0)
            state = children[state][unit]
            if n_spelled < len(phrase) - 1:  # what is complete promises no more
                promise[state] = max(promise[state], worth * n_spelled / (len(phrase) - 1))
        boost[state] += worth
    n_units = 1 + max((u for units in (*phrases, *token_units) for u in units), default=0)
    next_state = _complete(children, boost, promise, n_units)
    counts = [len(units) for units in token_units]
    return Hotwords(
        next_state,
        np.exp(boost),
        np.exp(promise),
        np.array([unit for units in token_units for unit in units], np.int32),
        np.append(0, np.cumsum(counts)).astype(np.int32),
    )


def _complete(
    children: list[dict[int, int]], boost: list[float], promise: list[float], n_units: int
) -> NDArray[np.int32]:
    """Say of every state and unit where they lead, shortest states first."""
    next_state = np.zeros((len(children), n_units), np.int32)
    next_state[0, list(children[0])] = list(children[0].values())
    queue = [(child, 0) for child in children[0].values()]  # with the longest end that is a state
    for state, shorter in queue:
        boost[state] += boost[shorter]
        promise[state] = max(promise[state], promise[shorter])
        next_state[state] = next_state[shorter]
        queue += [
            (child, int(next_state[shorter, unit])) for unit, child in children[state].items()
        ]
        next_state[state, list(children[state])] = list(children[state].values())
    return next_state
