"""Hotwords: phrases that score higher, recognised as they are spelled, in one automaton.

A phrase is spelled in units, with a boundary before it, between its words and after it. A state is
the longest suffix of the units so far that begins a phrase (Aho and Corasick). A phrase gets its
boost at its last boundary. Until then its prefixes are ranked by a `look_ahead`, the share of the
boost that is spelled; it is never part of the score, and gone when the phrase does not continue.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from asr.compiled import compiled

BOUNDARY = 0  # the unit between words; the others are 1 and greater


class Hotwords(NamedTuple):
    """The automaton; S states, state 0 without a prefix of a phrase."""

    next_state: NDArray[np.int32]  # (S, n_units)
    boost: NDArray[np.float64]  # (S,) factor of the phrases that end in a state
    look_ahead: NDArray[np.float64]  # (S,) factor of the phrases that begin in it, 1 or more
    token_units: NDArray[np.int32]  # (n,) the units of all tokens, one token after the other
    first_unit: NDArray[np.int32]  # (V + 1,) where in them each token's units begin


@compiled
def follow_token(hotwords: Hotwords, state: int, token: int) -> int:
    """Follow the units of a token."""
    for i in range(hotwords.first_unit[token], hotwords.first_unit[token + 1]):
        state = int(hotwords.next_state[state, hotwords.token_units[i]])
    return state


def make_hotwords(
    phrases: Mapping[tuple[int, ...], float], token_units: Sequence[Sequence[int]]
) -> Hotwords:
    """Make the automaton of some phrases.

    Args:
        phrases: The boost of each phrase in nats, above 0; phrases are spelled in units, with
            `BOUNDARY` between words and at both ends. A phrase within another counts as well.
        token_units: Units of each token, 1 or greater, boundaries left out.

    References:
        Aho and Corasick, "Efficient String Matching", Communications of the ACM, 1975.
    """
    children: list[dict[int, int]] = [{}]
    boost, look_ahead = [0.0], [0.0]  # nats
    for phrase, phrase_boost in phrases.items():
        state = 0
        for n_spelled, unit in enumerate(phrase):
            if unit not in children[state]:
                children[state][unit] = len(children)
                children.append({})
                boost.append(0.0)
                look_ahead.append(0.0)
            state = children[state][unit]
            if n_spelled < len(phrase) - 1:
                share = phrase_boost * n_spelled / (len(phrase) - 1)
                look_ahead[state] = max(look_ahead[state], share)
        boost[state] += phrase_boost
    n_units = 1 + max((u for units in (*phrases, *token_units) for u in units), default=0)
    next_state = _complete(children, boost, look_ahead, n_units)
    return Hotwords(
        next_state,
        boost=np.exp(boost),
        look_ahead=np.exp(look_ahead),
        token_units=np.array([unit for units in token_units for unit in units], np.int32),
        first_unit=np.cumsum([0, *map(len, token_units)]).astype(np.int32),
    )


def _complete(
    children: list[dict[int, int]], boost: list[float], look_ahead: list[float], n_units: int
) -> NDArray[np.int32]:
    """Compute where each unit leads from each state, shortest states first."""
    next_state = np.zeros((len(children), n_units), np.int32)
    next_state[0, list(children[0])] = list(children[0].values())
    queue = [(child, 0) for child in children[0].values()]  # each with its longest suffix
    for state, shorter in queue:
        boost[state] += boost[shorter]
        look_ahead[state] = max(look_ahead[state], look_ahead[shorter])
        next_state[state] = next_state[shorter]
        queue += [
            (child, int(next_state[shorter, unit])) for unit, child in children[state].items()
        ]
        next_state[state, list(children[state])] = list(children[state].values())
    return next_state
