"""Hypothesis: a possible token sequence with its frames, confidences and scores."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asr.search.emission import BLANK, Emission

Alignment = NDArray[np.intp]  # (T,), one token a frame, blanks included


@dataclass(frozen=True, slots=True)
class LexiconWord:
    """A word of a hypothesis: its index in the lexicon, and the half-open range of its tokens."""

    word: int | None  # None for a word that the lexicon lacks
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One result of a search; all of `tokens` to `confidences` are equally long.

    Encoder frame t stands for the features from t * subsampling_factor on, so a token emitted at
    frame t begins at t * subsampling_factor * frame_shift seconds.

    Attributes:
        tokens: Token ids, without blanks.
        frames: Per token, the first frame of its run in the best alignment; strictly increasing.
        ends: Per token, the frame after the last of its run.
        confidences: Per token, its highest posterior within its run of frames, 0 to 1.
        score: What hypotheses are ranked by, in nats; each search documents its parts.
        acoustic_score: Natural log of the tokens' probability by the emission alone.
        lm_score: Natural log of the words' probability, the utterance's end included, unweighted;
            0.0 without a language model.
        words: How the beam search grouped the tokens into words; empty for other searches.
    """

    tokens: tuple[int, ...]
    frames: tuple[int, ...]
    ends: tuple[int, ...]
    confidences: tuple[float, ...]
    score: float
    acoustic_score: float
    lm_score: float = 0.0
    words: tuple[LexiconWord, ...] = ()


def from_alignment(emission: Emission, alignment: Alignment, score: float) -> Hypothesis:
    """Collapse an alignment, (T,): merge the frames of a run into one token, then drop the blanks.

    The score, in nats, is all acoustic.
    """
    if not len(alignment):
        return Hypothesis((), (), (), (), score, score)
    is_start = np.append(True, alignment[1:] != alignment[:-1])
    starts = np.flatnonzero(is_start)
    along = np.take_along_axis(emission, alignment[:, None], axis=1)[:, 0]  # (T,)
    peaks = np.exp(np.maximum.reduceat(along, starts))  # one a run
    ends = np.append(starts[1:], len(alignment))
    is_token = alignment[starts] != BLANK
    return Hypothesis(
        tokens=tuple(alignment[starts][is_token].tolist()),
        frames=tuple(starts[is_token].tolist()),
        ends=tuple(ends[is_token].tolist()),
        confidences=tuple(np.minimum(peaks[is_token], 1.0).tolist()),
        score=score,
        acoustic_score=score,
    )
