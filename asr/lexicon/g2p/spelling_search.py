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
    """Graphones, numbered from 0 on by their letters, and what is known of their order.

    Attributes:
        ngram: A model, for which graphone i is word i + N_SPECIAL.
        firsts: (n_letters + 1,) letter l is spelled by graphones firsts[l] to before firsts[l + 1].
        is_heard: (G,) whether each stands for any unit.
    """

    ngram: Nodes
    firsts: Ints
    is_heard: Flags


class Beam(NamedTuple):
    """Row i: what may stand behind the first i of at most N letters, K hypotheses at most.

    Attributes:
        sizes: (N + 1,) how many hypotheses there are.
        bests: (N + 1,) natural log, the best of their scores.
        scores: (N + 1, K) natural log.
        states: (N + 1, K) their contexts in the n-gram model; no two hypotheses have the same and
            are both heard or both silent.
        graphones: (N + 1, K) the last one.
        previous: (N + 1, K) place, in the row before, of what stood before it.
        is_heard: (N + 1, K) whether they stand for any unit.
    """

    sizes: Ints
    bests: NDArray[np.float64]
    scores: NDArray[np.float64]
    states: Ints
    graphones: Ints
    previous: Ints
    is_heard: Flags


def make_beam(n_letters: int, beam_size: int) -> Beam:
    """Make room for words up to a length, the empty beginning in it."""
    sizes, bests = np.zeros(n_letters + 1, np.int32), np.zeros(n_letters + 1)
    shape = (n_letters + 1, beam_size)
    states, graphones, previous = np.zeros((3, *shape), np.int32)
    sizes[0] = 1
    return Beam(
        sizes, bests, np.zeros(shape), states, graphones, previous, np.zeros(shape, np.bool_)
    )


@compiled
def spell(
    graphones: Graphones, words: Ints, n_shared: Ints, beam: Beam, threshold: float, found: Ints
) -> None:
    """Find the most probable graphones of each word, of those that stand for any unit.

    Args:
        graphones: To spell with.
        words: (W, N) letters, -1 behind the last.
        n_shared: (W,) with how many letters a word begins as the word before it does, 0 at first:
            they are not searched again.
        beam: Room for N letters.
        threshold: What is less probable than the best by more than this, in nats, is dropped.
        found: (W, N) gets the graphones, or -1 behind the last, and where all are silent.
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
    """Make the row behind the next letter."""
    behind = row + 1
    beam.sizes[behind], beam.bests[behind] = 0, -np.inf
    for i in range(beam.sizes[row]):
        for graphone in range(graphones.firsts[letter], graphones.firsts[letter + 1]):
            log_prob, state = word_log_prob(
                graphones.ngram, int(beam.states[row, i]), graphone + N_SPECIAL
            )
            score = beam.scores[row, i] + log_prob
            if score < beam.bests[behind] - threshold:
                continue
            is_heard = beam.is_heard[row, i] or graphones.is_heard[graphone]
            place = _place(beam, behind, score, state, is_heard)
            if place >= 0:
                beam.bests[behind] = max(beam.bests[behind], score)
                beam.scores[behind, place] = score
                beam.states[behind, place] = state
                beam.graphones[behind, place] = graphone
                beam.previous[behind, place] = i
                beam.is_heard[behind, place] = is_heard


@compiled
def _place(beam: Beam, row: int, score: float, state: int, is_heard: bool) -> int:
    """Find a place: of a worse one of its kind, a free one, or that of the worst; else -1."""
    size, worst = int(beam.sizes[row]), 0
    for i in range(size):
        if beam.states[row, i] == state and beam.is_heard[row, i] == is_heard:
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
        if beam.is_heard[n, i] and beam.scores[n, i] + log_prob > best:
            best, place = beam.scores[n, i] + log_prob, i
    if place >= 0:
        for row in range(n, 0, -1):
            found[row - 1] = beam.graphones[row, place]
            place = beam.previous[row, place]
