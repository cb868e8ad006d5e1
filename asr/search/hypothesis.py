"""Hypothesis: a possible token sequence with its frames, confidences and scores."""

from dataclasses import dataclass, replace

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


def later(hypothesis: Hypothesis, n_frames: int) -> Hypothesis:
    """Count the frames of a hypothesis from `n_frames` earlier."""
    return replace(
        hypothesis,
        frames=tuple(frame + n_frames for frame in hypothesis.frames),
        ends=tuple(end + n_frames for end in hypothesis.ends),
    )


def first_tokens(hypothesis: Hypothesis, n: int) -> Hypothesis:
    """Cut a hypothesis after n tokens, where a word ends; its scores stay those of the whole."""
    return replace(
        hypothesis,
        tokens=hypothesis.tokens[:n],
        frames=hypothesis.frames[:n],
        ends=hypothesis.ends[:n],
        confidences=hypothesis.confidences[:n],
        words=tuple(word for word in hypothesis.words if word.stop <= n),
    )


def followed_by(
    first: Hypothesis, second: Hypothesis, n_frames: int, boundary: int | None
) -> Hypothesis:
    """Join two hypotheses of one recording; scores are the sums.

    Args:
        first: Ends with a blank.
        second: Its frames count from the first one's `n_frames`.
        n_frames: Frames of the first.
        boundary: The token between words, if there is one, which comes in the last of these frames.
    """
    second = later(second, n_frames)
    n = int(boundary is not None and bool(first.tokens) and bool(second.tokens))
    between, shift = (boundary or 0,) * n, len(first.tokens) + n
    return Hypothesis(
        tokens=(*first.tokens, *between, *second.tokens),
        frames=(*first.frames, *(n_frames - 1,) * n, *second.frames),
        ends=(*first.ends, *(n_frames,) * n, *second.ends),
        confidences=(*first.confidences, *(1.0,) * n, *second.confidences),
        score=first.score + second.score,
        acoustic_score=first.acoustic_score + second.acoustic_score,
        lm_score=first.lm_score + second.lm_score,
        words=(
            *first.words,
            *(LexiconWord(w.word, w.start + shift, w.stop + shift) for w in second.words),
        ),
    )
