"""Spelling search: the graphones that most probably spell a word, found letter by letter."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from asr.compiled import compiled
from asr.lm.backoff import start_state, word_log_prob
from asr.lm.ngram import Nodes
from asr.lm.vocabulary import END_ID, SPECIAL

N_SPECIAL = len(SPECIAL)  # words of an n-gram model that are no graphones

Ints = NDArray[np.int32]
Flags = NDArray[np.bool_]


class Graphones(NamedTuple):
    """Graphones, numbered from 0 on by their letters, and a model of their order.

    Attributes:
        ngram: A model, for which graphone i is word i + N_SPECIAL.
        firsts: (n_letters + 1,) letter l has the graphones from firsts[l] until firsts[l + 1].
        has_units: (G,) whether each stands for any units.
    """

    ngram: Nodes
    firsts: Ints
    has_units: Flags


class Beam(NamedTuple):
    """Hypotheses after each of at most N letters, at most K in a row; row 0 is before the first.

    Attributes:
        sizes: (N + 1,) number of hypotheses.
        bests: (N + 1,) the best score.
        scores: (N + 1, K) natural log of the probability.
        states: (N + 1, K) state of the n-gram model; two hypotheses with the same state differ in
            whether they have units.
        graphones: (N + 1, K) the last graphone.
        previous: (N + 1, K) index, in the row before, of the hypothesis that it extends.
        has_units: (N + 1, K) whether its graphones stand for any units.
    """

    sizes: Ints
    bests: NDArray[np.float64]
    scores: NDArray[np.float64]
    states: Ints
    graphones: Ints
    previous: Ints
    has_units: Flags


def make_beam(n_letters: int, beam_size: int) -> Beam:
    """Make a beam for words up to a length, with the empty hypothesis in row 0."""
    shape = (n_letters + 1, beam_size)
    sizes = np.zeros(n_letters + 1, np.int32)
    sizes[0] = 1
    states, graphones, previous = np.zeros((3, *shape), np.int32)
    bests, scores, has_units = np.zeros(n_letters + 1), np.zeros(shape), np.zeros(shape, np.bool_)
    return Beam(sizes, bests, scores, states, graphones, previous, has_units)


@compiled
def spell(
    graphones: Graphones, words: Ints, n_shared: Ints, beam: Beam, threshold: float, found: Ints
) -> None:
    """Find the most probable graphones of each word that stand for any units.

    Args:
        graphones: To spell with.
        words: (W, N) letters, -1 after the last.
        n_shared: (W,) how many first letters a word shares with the word before; they are not
            searched again.
        beam: For N letters.
        threshold: Hypotheses below the best by more than this, in nats, are dropped.
        found: (W, N) gets the graphones; -1 after the last, and if all letters are silent.
    """
    beam.states[0, 0] = start_state(graphones.ngram)
    for word in range(len(words)):
        n = 0
        while n < words.shape[1] and words[word, n] >= 0:
            n += 1
        for i in range(n_shared[word], n):
            _extend(graphones, beam, i, words[word, i], threshold)
        _write_best(graphones, beam, n, found[word])


@compiled
def _extend(graphones: Graphones, beam: Beam, row: int, letter: int, threshold: float) -> None:
    """Make the row after the next letter."""
    after = row + 1
    beam.sizes[after], beam.bests[after] = 0, -np.inf
    for i in range(beam.sizes[row]):
        for graphone in range(graphones.firsts[letter], graphones.firsts[letter + 1]):
            log_prob, state = word_log_prob(
                graphones.ngram, int(beam.states[row, i]), graphone + N_SPECIAL
            )
            score = beam.scores[row, i] + log_prob
            if score < beam.bests[after] - threshold:
                continue
            has_units = beam.has_units[row, i] or graphones.has_units[graphone]
            place = _place(beam, after, score, state, has_units)
            if place >= 0:
                beam.bests[after] = max(beam.bests[after], score)
                beam.scores[after, place] = score
                beam.states[after, place] = state
                beam.graphones[after, place] = graphone
                beam.previous[after, place] = i
                beam.has_units[after, place] = has_units


@compiled
def _place(beam: Beam, row: int, score: float, state: int, has_units: bool) -> int:
    """Choose a hypothesis's place in a row, -1 if it has none.

    It replaces a worse one with the same state, else takes a free place, else replaces the worst.
    """
    size, worst = int(beam.sizes[row]), 0
    for i in range(size):
        if beam.states[row, i] == state and beam.has_units[row, i] == has_units:
            return i if score > beam.scores[row, i] else -1
        if beam.scores[row, i] < beam.scores[row, worst]:
            worst = i
    if size < beam.scores.shape[1]:
        beam.sizes[row] += 1
        return size
    return worst if score > beam.scores[row, worst] else -1


@compiled
def _write_best(graphones: Graphones, beam: Beam, n: int, found: Ints) -> None:
    """Write the graphones of the best hypothesis for the whole word."""
    found[:] = -1
    best, place = -np.inf, -1
    for i in range(beam.sizes[n]):
        log_prob, _ = word_log_prob(graphones.ngram, int(beam.states[n, i]), END_ID)
        if beam.has_units[n, i] and beam.scores[n, i] + log_prob > best:
            best, place = beam.scores[n, i] + log_prob, i
    if place >= 0:
        for row in range(n, 0, -1):
            found[row - 1] = beam.graphones[row, place]
            place = beam.previous[row, place]
