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

import numpy as np
from numpy.typing import NDArray

from asr.lm.levels import Mask
from asr.lm.ngram import NGram

Values = NDArray[np.float64]

_LEAST_MASS = 1e-12  # rounding may leave zero or less


def prune(model: NGram, threshold: float, context_probs: Values) -> NGram:
    """Drop the n-grams that matter least, and renormalise.

    Single words stay, and so do the contexts and suffixes of the n-grams that stay.

    Args:
        model: Each context's probabilities sum to one.
        threshold: Least relative rise of the perplexity at which an n-gram stays, as in 1e-8.
        context_probs: (N,) how probable each node is as the context of a word; from counts, since
            the lower orders of Kneser-Ney do not estimate it (Chelba et al., "Study on Interaction
            between Entropy Pruning and Kneser-Ney Smoothing", Interspeech 2010).
    """
    probs = np.exp(model.nodes.log_probs.astype(np.float64))
    lower = probs[model.nodes.suffixes]
    parents, starts, n_contexts = model.parents(), model.starts, len(model.nodes.backoffs)
    # What a context leaves to words without an n-gram: by what it backs off to, and by itself.
    below = np.maximum(1.0 - np.bincount(parents[1:], lower[1:], n_contexts), _LEAST_MASS)
    here = np.exp(model.nodes.backoffs.astype(np.float64)) * below
    kept: Mask = np.ones(len(probs), np.bool_)
    is_needed = np.zeros(len(probs), np.bool_)
    for order in range(model.order, 1, -1):
        nodes = np.arange(starts[order], starts[order + 1])
        context = parents[nodes]
        loss = _relative_entropy(here[context], below[context], probs[nodes], lower[nodes])
        matters = np.expm1(context_probs[context] * loss) >= threshold
        kept[nodes] = matters | is_needed[nodes]
        staying = nodes[kept[nodes]]
        is_needed[parents[staying]] = True
        is_needed[model.nodes.suffixes[staying]] = True
    out = np.flatnonzero(~kept)
    here += np.bincount(parents[out], probs[out], n_contexts)
    below += np.bincount(parents[out], lower[out], n_contexts)
    is_context = np.bincount(parents[kept][1:], minlength=n_contexts) > 0
    return model.select(kept, np.where(is_context, np.log(here) - np.log(below), 0.0))


def _relative_entropy(here: Values, below: Values, probs: Values, lower: Values) -> Values:
    """Compute the loss (n,), in nats, of dropping each n-gram alone: the above over P(h)."""
    without = np.log(here + probs) - np.log(below + lower)  # the back-off weight
    present = np.log(here) - np.log(below)
    gain: Values = probs * (np.log(lower) + without - np.log(probs)) + here * (without - present)
    return -gain
