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

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asr.lm.levels import Mask
from asr.lm.ngram import NGram

Values = NDArray[np.float64]
Nodes = NDArray[np.int32]

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
    parents, starts = model.parents(), model.starts
    mass = _BackoffMass.of(model, parents, lower)
    kept: Mask = np.ones(len(probs), np.bool_)
    is_needed = np.zeros(len(probs), np.bool_)
    for order in range(model.order, 1, -1):
        nodes = np.arange(starts[order], starts[order + 1])
        context = parents[nodes]
        loss = mass.relative_entropy(context, probs[nodes], lower[nodes])
        matters = np.expm1(context_probs[context] * loss) >= threshold
        kept[nodes] = matters | is_needed[nodes]
        staying = nodes[kept[nodes]]
        is_needed[parents[staying]] = True
        is_needed[model.nodes.suffixes[staying]] = True
    out = np.flatnonzero(~kept)
    backoffs = mass.without(parents[out], probs[out], lower[out]).log_weights()
    is_context = np.bincount(parents[kept][1:], minlength=len(backoffs)) > 0
    return model.select(kept, np.where(is_context, backoffs, 0.0))


@dataclass(frozen=True, slots=True)
class _BackoffMass:
    """The probability, in each context, of the words without an n-gram there.

    Attributes:
        here: (N_inner,) in the context's distribution.
        below: (N_inner,) in the distribution that it backs off to.
    """

    here: Values
    below: Values

    @classmethod
    def of(cls, model: NGram, parents: Nodes, lower: Values) -> "_BackoffMass":
        """Sum up a model in which each context's probabilities sum to one."""
        n_contexts = len(model.nodes.backoffs)
        below = np.maximum(1.0 - np.bincount(parents[1:], lower[1:], n_contexts), _LEAST_MASS)
        return cls(np.exp(model.nodes.backoffs.astype(np.float64)) * below, below)

    def relative_entropy(self, context: Nodes, probs: Values, lower: Values) -> Values:
        """Compute the loss (n,), in nats, of dropping each n-gram alone."""
        here, below = self.here[context], self.below[context]
        wider = np.log(here + probs) - np.log(below + lower)  # back-off weights without it
        narrower = np.log(here) - np.log(below)
        gain: Values = probs * (np.log(lower) + wider - np.log(probs)) + here * (wider - narrower)
        return -gain

    def without(self, context: Nodes, probs: Values, lower: Values) -> "_BackoffMass":
        """Add the masses of n-grams (n,) that are dropped."""
        n_contexts = len(self.here)
        return _BackoffMass(
            self.here + np.bincount(context, probs, n_contexts),
            self.below + np.bincount(context, lower, n_contexts),
        )

    def log_weights(self) -> Values:
        """Compute back-off weights (N_inner,), natural log."""
        weights: Values = np.log(self.here) - np.log(self.below)
        return weights
