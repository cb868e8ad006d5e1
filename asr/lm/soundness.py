"""Soundness: whether the arrays of a model are what compiled code relies on.

Compiled code follows the numbers of a file without checking them. So all are checked once, when a
file is opened: then no file, damaged or made up, can lead a search out of its arrays or in circles,
or give it a number that is not finite.
"""

from asr.compiled import compiled
from asr.lm.ngram import Nodes, children

MAX_LOG = 1000.0  # nats; beyond it, powers of a probability leave the range of a float64
ROUNDING = 1e-3  # nats by which a probability may exceed 1, as other tools round

UNFIT = "expected arrays that fit together"

_BAD_WORD, _BAD_CHILD, _BAD_SUFFIX, _BAD_NUMBER = range(1, 5)
_PROBLEMS = {
    _BAD_WORD: "words of the vocabulary in ascending order",
    _BAD_CHILD: "n-grams that begin with it after those of its own length",
    _BAD_SUFFIX: "an n-gram without the first word that is shorter",
    _BAD_NUMBER: f"finite logarithms, within {MAX_LOG:g} nats, of probabilities up to 1",
}


def unsound(nodes: Nodes, n_words: int) -> str | None:
    """Say what is wrong with the arrays of a model; None if nothing is.

    Args:
        nodes: The n-grams.
        n_words: Of the vocabulary.
    """
    if not _fit_together(nodes, n_words):
        return UNFIT
    node, problem = _first_problem(nodes, n_words)
    return f"expected for n-gram {node} {_PROBLEMS[problem]}" if problem else None


def _fit_together(nodes: Nodes, n_words: int) -> bool:
    """Compare sizes, without reading the contents."""
    ends, n_nodes, n_inner = nodes.first_child, len(nodes.words), len(nodes.backoffs)
    sizes = {n_nodes, len(nodes.log_probs), len(nodes.suffixes)}
    return (
        len(sizes) == 1
        and 0 < n_inner == len(ends) - 1
        and (ends[0], ends[1], ends[-1]) == (1, n_words + 1, n_nodes)
    )


@compiled
def _first_problem(nodes: Nodes, n_words: int) -> tuple[int, int]:
    """Return the first node with a problem, and which one: 0 for none."""
    n_nodes, n_inner = len(nodes.words), len(nodes.backoffs)
    for node in range(n_inner):
        first, stop = children(nodes, node)
        if not node < first <= stop <= n_nodes:
            return node, _BAD_CHILD
        if not abs(nodes.backoffs[node]) <= MAX_LOG:
            return node, _BAD_NUMBER
        previous = -1
        for child in range(first, stop):
            word = int(nodes.words[child])
            if not previous < word < n_words:
                return child, _BAD_WORD
            previous = word
    for node in range(1, n_nodes):
        if not -MAX_LOG <= nodes.log_probs[node] <= ROUNDING:
            return node, _BAD_NUMBER
        suffix = int(nodes.suffixes[node])
        if not 0 <= suffix < node or (node <= n_words and suffix != 0):
            return node, _BAD_SUFFIX
    return 0, 0
