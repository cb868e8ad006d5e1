"""Back-off: the probability of a word after a context, in compiled code.

A model has few of all possible n-grams. If it lacks "A B C", it backs off to the shorter "B C":

    P(C | A B) = P(C | A B) as listed, or else  weight(A B) P(C | B)

A *state* is the node of the context: the longest end of the words so far that can still matter.
"""

import numpy as np
from numpy.typing import NDArray

from asr.compiled import compiled
from asr.lm.levels import find_word
from asr.lm.ngram import ROOT, Nodes, children
from asr.lm.vocabulary import END_ID, START_ID


@compiled
def start_state(nodes: Nodes) -> int:
    """Return the state at the start of a segment."""
    return shorten(nodes, 1 + START_ID)


@compiled
def word_log_prob(nodes: Nodes, state: int, word: int) -> tuple[float, int]:
    """Score the next word, by its id; `ROOT` is the state after no words at all.

    Returns:
        Natural log of the word's probability, and the state after it.
    """
    log_prob = 0.0
    while True:
        child = _child(nodes, state, word)
        if child >= 0:
            # weights that a stranger made up are no probabilities
            return min(log_prob + nodes.log_probs[child], 0.0), shorten(nodes, child)
        log_prob += nodes.backoffs[state]
        state = int(nodes.suffixes[state])


@compiled
def score_segment(nodes: Nodes, words: NDArray[np.int32], log_probs: NDArray[np.float64]) -> float:
    """Score the words of a segment, (n,) ids, and its end.

    Fills `log_probs`, (n + 1,), with the natural log of each probability; returns their sum.
    """
    total, state = 0.0, start_state(nodes)
    for i in range(len(words)):
        log_probs[i], state = word_log_prob(nodes, state, int(words[i]))
        total += log_probs[i]
    log_probs[len(words)], _ = word_log_prob(nodes, state, END_ID)
    return float(total + log_probs[len(words)])


@compiled
def shorten(nodes: Nodes, node: int) -> int:
    """Drop the first words of a context while that changes no probability of what follows.

    A context matters if longer n-grams begin with it or if its back-off weight is not one.
    """
    n_inner = len(nodes.backoffs)
    while node > ROOT and (
        node >= n_inner
        or (nodes.first_child[node] == nodes.first_child[node + 1] and nodes.backoffs[node] == 0.0)
    ):
        node = int(nodes.suffixes[node])
    return node


@compiled
def _child(nodes: Nodes, node: int, word: int) -> int:
    """Find the child with a word; -1 if there is none."""
    if node == ROOT:
        return 1 + word
    first, stop = children(nodes, node)
    return find_word(nodes.words, first, stop, word)
