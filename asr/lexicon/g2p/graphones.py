"""Graphones: which letter stands for which units, learned from words and their pronunciations.

A graphone is a letter with the units that it stands for, none, one or two:

    E X T R A    EH K S T R AH    is   E:EH X:K+S T:T R:R A:AH
    T H I N G    TH IH NG         is   T:TH H: I:IH N:NG G:

How words are divided is not given. Expectation maximisation starts with all divisions equally
probable; the graphones that many words share win.

Letters, units and graphones are numbers here; see `parts`.

References:
    Bisani and Ney, "Joint-sequence models for grapheme-to-phoneme conversion", Speech
    Communication 50, 2008, section 2; with these graphones, and one division per word.
"""

from collections.abc import Sequence
from itertools import chain, pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from asr.compiled import compiled

MAX_UNITS = 2  # of a letter

_N_ITERATIONS = 10

Ints = NDArray[np.int64]
Values = NDArray[np.float64]


class _Words(NamedTuple):
    """Words, one after the other.

    Attributes:
        letters: (sum of lengths,) of all words.
        letter_ends: (W + 1,) the letters of word i are between ends i and i + 1.
        units: As `letters`.
        unit_ends: As `letter_ends`.
        n_units: One more than the last unit.
    """

    letters: Ints
    letter_ends: Ints
    units: Ints
    unit_ends: Ints
    n_units: int


def divide(
    spellings: Sequence[Sequence[int]], pronunciations: Sequence[Sequence[int]], n_units: int
) -> list[list[int]]:
    """Divide words into graphones.

    Args:
        spellings: The letters of each word, at least one.
        pronunciations: The units of each word.
        n_units: One more than the last unit.

    Returns:
        For each word a graphone per letter; none if it has more than two units per letter.
    """
    if not spellings:
        return []
    words = _Words(*_flat(spellings), *_flat(pronunciations), n_units)
    n_graphones = (int(words.letters.max()) + 1) * n_choices(n_units)
    shape = [int(np.diff(ends).max()) + 1 for ends in (words.letter_ends, words.unit_ends)]
    forward, backward = np.zeros(shape), np.zeros(shape)
    probs = np.ones(n_graphones)
    for _ in range(_N_ITERATIONS):
        counts = np.zeros(n_graphones)
        _count(words, probs, counts, forward, backward)
        probs = counts / max(counts.sum(), 1.0)
    found = np.full_like(words.letters, -1)
    _find_best(words, probs, forward, np.zeros(shape, np.int64), found)
    divided = [found[start:end].tolist() for start, end in pairwise(words.letter_ends.tolist())]
    return [graphones if graphones[0] >= 0 else [] for graphones in divided]


@compiled
def n_choices(n_units: int) -> int:
    """Count what a letter can stand for: nothing, any unit, any two units."""
    return 1 + n_units + n_units * n_units


def parts(graphone: int, n_units: int) -> tuple[int, tuple[int, ...]]:
    """Split a graphone into its letter and its units.

    Example:
        >>> [parts(graphone, n_units=10) for graphone in (0, 1, 10, 11, 110, 111)]
        [(0, ()), (0, (0,)), (0, (9,)), (0, (0, 0)), (0, (9, 9)), (1, ())]
    """
    letter, rest = divmod(graphone, n_choices(n_units))
    if rest <= n_units:
        return letter, (rest - 1,) if rest else ()
    return letter, divmod(rest - 1 - n_units, n_units)


def _flat(sequences: Sequence[Sequence[int]]) -> tuple[Ints, Ints]:
    """Concatenate sequences; also return where each ends, after a 0."""
    ends = np.cumsum([0, *map(len, sequences)], dtype=np.int64)
    return np.fromiter(chain.from_iterable(sequences), np.int64), ends


@compiled
def _graphone(words: _Words, letter: int, unit: int, n: int) -> int:
    """Number the graphone of the letter before a position and the n units before another."""
    graphone = words.letters[letter - 1] * n_choices(words.n_units)
    if n == 1:
        graphone += 1 + words.units[unit - 1]
    elif n == 2:
        graphone += 1 + words.n_units + words.units[unit - 2] * words.n_units
        graphone += words.units[unit - 1]
    return int(graphone)


@compiled
def _count(words: _Words, probs: Values, counts: Values, forward: Values, backward: Values) -> None:
    """Compute the expected count of each graphone, given the probability of each.

    Cell (i, j) of `forward` sums the divisions of the first i letters and j units of a word, cell
    (i, j) of `backward` those of the rest.
    """
    for word in range(len(words.letter_ends) - 1):
        letter, unit = words.letter_ends[word], words.unit_ends[word]
        n, m = words.letter_ends[word + 1] - letter, words.unit_ends[word + 1] - unit
        forward[: n + 1, : m + 1] = 0.0
        backward[: n + 1, : m + 1] = 0.0
        forward[0, 0] = 1.0
        for i in range(1, n + 1):
            for j in range(m + 1):
                for k in range(min(j, MAX_UNITS) + 1):
                    prob = probs[_graphone(words, letter + i, unit + j, k)]
                    forward[i, j] += forward[i - 1, j - k] * prob
        if forward[n, m] <= 0.0:
            continue
        backward[n, m] = 1.0 / forward[n, m]
        for i in range(n, 0, -1):
            for j in range(m + 1):
                for k in range(min(j, MAX_UNITS) + 1):
                    graphone = _graphone(words, letter + i, unit + j, k)
                    rest = probs[graphone] * backward[i, j]
                    counts[graphone] += forward[i - 1, j - k] * rest
                    backward[i - 1, j - k] += rest


@compiled
def _find_best(words: _Words, probs: Values, best: Values, n_units: Ints, found: Ints) -> None:
    """Write the most probable graphones of each word, at the positions of its letters."""
    for word in range(len(words.letter_ends) - 1):
        letter, unit = words.letter_ends[word], words.unit_ends[word]
        n, m = words.letter_ends[word + 1] - letter, words.unit_ends[word + 1] - unit
        best[: n + 1, : m + 1] = 0.0
        best[0, 0] = 1.0
        for i in range(1, n + 1):
            for j in range(m + 1):
                for k in range(min(j, MAX_UNITS) + 1):
                    prob = probs[_graphone(words, letter + i, unit + j, k)] * best[i - 1, j - k]
                    if prob > best[i, j]:
                        best[i, j], n_units[i, j] = prob, k
        if best[n, m] > 0.0:
            j = m
            for i in range(n, 0, -1):
                k = n_units[i, j]
                found[letter + i - 1] = _graphone(words, letter + i, unit + j, k)
                j -= k
