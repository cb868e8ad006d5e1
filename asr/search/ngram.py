"""N-gram: a back-off language model as flat arrays, and the probability of a word in a context.

N-grams of all orders are nodes, numbered order by order, within an order by parent and then by
word. Node 0 is the empty context; the unigram of word w is node 1 + w; words are numbered densely,
`<unk>` first, then `<s>` and `</s>`. A node's parent is its n-gram without the last word.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from asr.compiled import compiled

UNKNOWN, BEGIN, END = 0, 1, 2  # the numbers of <unk>, <s> and </s>


class NGram(NamedTuple):
    """A model; N nodes, the first `N_inner` of which, those below the highest order, have contexts.

    Attributes:
        words: (N,) int32, last word of each node; -1 for the empty context.
        log_probs: (N,) float32, natural log P(last word | the words before it).
        backoffs: (N_inner,) float32, natural log.
        first_child: (N_inner + 1,) uint32; the children of node i are first_child[i] to before
            first_child[i + 1], in the order of their words.
        suffixes: (N,) int32, the node of the n-gram without its first word.
    """

    words: NDArray[np.int32]
    log_probs: NDArray[np.float32]
    backoffs: NDArray[np.float32]
    first_child: NDArray[np.uint32]
    suffixes: NDArray[np.int32]


def make_ngram(
    words: NDArray[np.int32],
    log_probs: NDArray[np.float32],
    backoffs: NDArray[np.float32],
    first_child: NDArray[np.uint32],
    suffixes: NDArray[np.int32],
) -> NGram:
    """Take the arrays of a model, whether in memory or mapped from a file, to be read only.

    Nothing is copied, and the search is compiled for one kind of arrays.
    """
    ngram = NGram(
        np.asarray(words).view(),
        np.asarray(log_probs).view(),
        np.asarray(backoffs).view(),
        np.asarray(first_child).view(),
        np.asarray(suffixes).view(),
    )
    for view in ngram:
        view.flags.writeable = False
    return ngram


NO_NGRAM = make_ngram(
    np.zeros(0, np.int32),
    np.zeros(0, np.float32),
    np.zeros(0, np.float32),
    np.zeros(1, np.uint32),
    np.zeros(0, np.int32),
)


@compiled
def word_log_prob(ngram: NGram, state: int, word: int) -> tuple[float, int]:
    """Score a word behind a context, backing off to shorter ones until one knows it.

    Args:
        ngram: The model.
        state: Node of the context.
        word: Number of the word.

    Returns:
        Natural log of its probability, and the node of the context for the word after it.
    """
    log_prob = 0.0
    while True:
        child = _child(ngram, state, word)
        if child >= 0:
            return log_prob + ngram.log_probs[child], context(ngram, child)
        log_prob += ngram.backoffs[state]
        state = int(ngram.suffixes[state])


@compiled
def text_log_prob(ngram: NGram, words: NDArray[np.int32]) -> float:
    """Score a whole utterance, from its beginning to its end: natural log."""
    log_prob, state = 0.0, context(ngram, 1 + BEGIN)
    for word in words:
        score, state = word_log_prob(ngram, state, int(word))
        log_prob += score
    score, _ = word_log_prob(ngram, state, END)
    return log_prob + score


@compiled
def context(ngram: NGram, node: int) -> int:
    """Shorten an n-gram to what the model can go on from: a node with children, or the empty."""
    n_inner = len(ngram.backoffs)
    while node > 0 and (node >= n_inner or ngram.first_child[node] == ngram.first_child[node + 1]):
        node = int(ngram.suffixes[node])
    return node


@compiled
def _child(ngram: NGram, node: int, word: int) -> int:
    """Find a context followed by a word, by bisection; -1 if the model has no such n-gram."""
    if node == 0:
        return 1 + word
    low = int(np.int64(ngram.first_child[node]))
    end = int(np.int64(ngram.first_child[node + 1]))
    high = end
    while low < high:
        middle = (low + high) // 2
        if ngram.words[middle] < word:
            low = middle + 1
        else:
            high = middle
    return low if low < end and ngram.words[low] == word else -1
