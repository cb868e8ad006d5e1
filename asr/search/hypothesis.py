"""Hypothesis: tokens that were perhaps said, with where, how surely, and how probable all is."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asr.search.emission import Emission

Alignment = NDArray[np.intp]  # (T,), one token a frame, blanks included


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One answer of a search; `tokens`, `frames` and `confidences` are equally long.

    Encoder frame t stands for the features from t * subsampling_factor on, so a token emitted at
    frame t begins at t * subsampling_factor * frame_shift seconds.

    Attributes:
        tokens: Token ids, without blanks.
        frames: Per token, the first frame of its run in the best alignment; strictly increasing.
        score: Natural log of a probability, in nats; each search says of what.
        confidences: Per token, its highest posterior within its run of frames, 0 to 1.
    """

    tokens: tuple[int, ...]
    frames: tuple[int, ...]
    score: float
    confidences: tuple[float, ...]


def from_alignment(
    emission: Emission, alignment: Alignment, score: float, *, blank: int
) -> Hypothesis:
    """Collapse an alignment: merge the frames of a run into one token, then drop the blanks.

    Args:
        emission: (T, V) log probabilities.
        alignment: (T,) token ids, one a frame.
        score: The hypothesis's score in nats.
        blank: Token id of the CTC blank.
    """
    if not len(alignment):
        return Hypothesis((), (), score, ())
    is_start = np.append(True, alignment[1:] != alignment[:-1])
    starts = np.flatnonzero(is_start)
    said = np.take_along_axis(emission, alignment[:, None], axis=1)[:, 0]  # (T,)
    peaks = np.exp(np.maximum.reduceat(said, starts))  # one a run
    is_token = alignment[starts] != blank
    return Hypothesis(
        tokens=tuple(alignment[starts][is_token].tolist()),
        frames=tuple(starts[is_token].tolist()),
        score=score,
        confidences=tuple(np.minimum(peaks[is_token], 1.0).tolist()),
    )
