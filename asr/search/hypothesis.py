"""Hypothesis: tokens that were perhaps said, with where, how surely, and how probable all is."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asr.search.emission import Emission

Alignment = NDArray[np.intp]  # (T,), one token a frame, blanks included


@dataclass(frozen=True, slots=True)
class SaidWord:
    """A word of a lexicon, and the half-open positions of its tokens in a hypothesis.

    `word` is its place in the lexicon; None for a word that is not in it.
    """

    word: int | None
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One answer of a search; `tokens`, `frames` and `confidences` are equally long.

    Encoder frame t stands for the features from t * subsampling_factor on, so a token emitted at
    frame t begins at t * subsampling_factor * frame_shift seconds.

    Attributes:
        tokens: Token ids, without blanks.
        frames: Per token, the first frame of its run in the best alignment; strictly increasing.
        confidences: Per token, its highest posterior within its run of frames, 0 to 1.
        score: What hypotheses are ranked by, in nats; each search says what it adds up.
        acoustic_score: Natural log of the probability that the emission alone gives the tokens.
        lm_score: Natural log of the words' probability, its end included, without a weight; 0.0
            without a language model.
        words: The words that the search told apart; empty if it knows of no words.
    """

    tokens: tuple[int, ...]
    frames: tuple[int, ...]
    confidences: tuple[float, ...]
    score: float
    acoustic_score: float
    lm_score: float = 0.0
    words: tuple[SaidWord, ...] = ()


def from_alignment(
    emission: Emission, alignment: Alignment, score: float, *, blank: int
) -> Hypothesis:
    """Collapse an alignment: merge the frames of a run into one token, then drop the blanks.

    Args:
        emission: (T, V) log probabilities.
        alignment: (T,) token ids, one a frame.
        score: The hypothesis's score in nats, all of it acoustic.
        blank: Token id of the CTC blank.
    """
    if not len(alignment):
        return Hypothesis((), (), (), score, score)
    is_start = np.append(True, alignment[1:] != alignment[:-1])
    starts = np.flatnonzero(is_start)
    said = np.take_along_axis(emission, alignment[:, None], axis=1)[:, 0]  # (T,)
    peaks = np.exp(np.maximum.reduceat(said, starts))  # one a run
    is_token = alignment[starts] != blank
    return Hypothesis(
        tokens=tuple(alignment[starts][is_token].tolist()),
        frames=tuple(starts[is_token].tolist()),
        confidences=tuple(np.minimum(peaks[is_token], 1.0).tolist()),
        score=score,
        acoustic_score=score,
    )
