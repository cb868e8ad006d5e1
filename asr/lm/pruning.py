"""Pruning by relative entropy: drop the n-grams that backing off predicts nearly as well.

Without the n-gram (h, w), its probability goes to backing off, whose weight in h changes from alpha
to alpha'. The distribution changes by the relative entropy

    -P(h) { P(w|h) [log P(w|h') + log alpha' - log P(w|h)] + (log alpha' - log alpha) B }

where h' is h without its first word, and B the probability that h leaves to words without an
n-gram. N-grams that would raise the perplexity by less than a threshold, relatively, are dropped.

References:
    Stolcke, "Entropy-based Pruning of Backoff Language Models", DARPA Broadcast News Transcription
    and Understanding Workshop, 1998.
"""

import math

import numpy as np
from numpy.typing import NDArray

from asr.compiled import compiled
from asr.lm.levels import Mask
from asr.lm.ngram import NGram, Nodes, children

Values = NDArray[np.float32]

_LEAST_MASS = 1e-12  # rounding may leave zero or less


def prune(model: NGram, threshold: float, context_probs: Values) -> NGram:
    """Drop the n-grams that matter least, and renormalise.

    Single words stay, and so do the contexts and suffixes of the n-grams that stay.

    Args:
        model: Each context's probabilities sum to one.
        threshold: Least relative rise of the perplexity at which an n-gram stays, as in 1e-8.
        context_probs: (N_inner,) how probable each node is as the context of a word; from counts,
            since the lower orders of Kneser-Ney do not estimate it (Chelba et al., "Study on
            Interaction between Entropy Pruning and Kneser-Ney Smoothing", Interspeech 2010).
    """
    starts, least_loss = model.starts, math.log1p(threshold)
    kept: Mask = np.arange(len(model.nodes.words)) < starts[2]
    backoffs = np.zeros(len(model.nodes.backoffs), np.float32)
    for order in range(model.order, 1, -1):
        first, end = starts[order - 1], starts[order]
        _prune(model.nodes, first, end, least_loss, context_probs, kept, backoffs)
    return model.select(kept, backoffs)


@compiled
def _prune(
    nodes: Nodes,
    first: int,
    end: int,
    least_loss: float,
    context_probs: Values,
    kept: Mask,
    backoffs: Values,
) -> None:
    """Prune after the contexts first .. end - 1.

    In `kept`, nodes that longer n-grams need are marked before; those that stay, after, with what
    they need. Fills the contexts' new `backoffs`.
    """
    for context in range(first, end):
        start, stop = children(nodes, context)
        # What a context leaves to words without an n-gram: by what it backs off to, and by itself.
        below = 1.0
        for node in range(start, stop):
            below -= math.exp(nodes.log_probs[nodes.suffixes[node]])
        below = max(below, _LEAST_MASS)
        here = math.exp(nodes.backoffs[context]) * below
        dropped, dropped_below, has_kept = 0.0, 0.0, False
        for node in range(start, stop):
            prob = math.exp(nodes.log_probs[node])
            lower = math.exp(nodes.log_probs[nodes.suffixes[node]])
            loss = context_probs[context] * _relative_entropy(here, below, prob, lower)
            if kept[node] or loss >= least_loss:
                kept[node] = kept[context] = kept[nodes.suffixes[node]] = has_kept = True
            else:
                dropped += prob
                dropped_below += lower
        if has_kept:
            backoffs[context] = math.log(here + dropped) - math.log(below + dropped_below)


@compiled
def _relative_entropy(here: float, below: float, prob: float, lower: float) -> float:
    """Compute the loss, in nats, of dropping an n-gram alone: the above over P(h)."""
    present = math.log(here) - math.log(below)
    without = math.log(here + prob) - math.log(below + lower)  # the back-off weight
    gain = prob * (math.log(lower) + without - math.log(prob)) + here * (without - present)
    return -gain
