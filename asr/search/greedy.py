"""Greedy search: the most probable alignment."""

import numpy as np
from numpy.typing import NDArray

from asr.search.emission import Emission, split_batch
from asr.search.hypothesis import Hypothesis, from_alignment


def greedy_search(log_probs: NDArray[np.floating], lengths: NDArray[np.int64]) -> list[Hypothesis]:
    """Take the best token of every frame, merge repeats, then drop blanks.

    The result is the most probable *alignment*, which need not spell the most probable
    *token sequence*; `BeamSearch` sums over alignments. Of equally probable tokens the one with
    the lowest id wins.

    Args:
        log_probs: (B, T, V) float, natural log, each frame normalised.
        lengths: (B,) int64, valid frames, 0 <= length <= T. Later frames are never read.

    Returns:
        One hypothesis per utterance, in batch order. `score` is the summed log probability
        of the best path in nats; an empty utterance scores 0.0.

    Raises:
        ShapeError: `log_probs` is not (B, T, V), or `lengths` do not fit it.
        DataError: A valid frame is not finite or not normalised.

    References:
        Graves et al., "Connectionist Temporal Classification", ICML 2006, section 3.2.

    Example:
        >>> import numpy as np
        >>> log_probs = np.log([[[0.1, 0.9], [0.2, 0.8], [0.7, 0.3], [0.4, 0.6]]])
        >>> hypothesis, = greedy_search(log_probs, np.array([4]))
        >>> hypothesis.tokens, hypothesis.frames
        ((1, 1), (0, 3))
    """
    return [search_greedily(emission) for emission in split_batch(log_probs, lengths)]


def search_greedily(emission: Emission) -> Hypothesis:
    """Search one utterance, (T, V), that has been checked."""
    alignment, score = emission.argmax(axis=1), float(emission.max(axis=1).sum())
    return from_alignment(emission, alignment, score)
