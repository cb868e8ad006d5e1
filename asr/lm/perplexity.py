"""Perplexity: how many equally likely words a model chooses from, on average, in a text."""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from asr.errors import DataError
from asr.lm.backoff import score_segment
from asr.lm.ngram import NGram
from asr.lm.vocabulary import SPECIAL, UNKNOWN_ID, refuse_reserved


@dataclass(frozen=True, slots=True)
class Perplexity:
    """How well a model predicts a text, in sums.

    Each segment's end counts as a token, its start does not.

    Attributes:
        n_segments: Segments, each with an end.
        n_words: Words, those outside the vocabulary (OOV) included.
        log_prob: Natural log of the probability of all tokens; a word outside has that of `<unk>`.
        outside_log_prob: The part of it that is due to words outside.
        outside: Each word outside and its count.
    """

    n_segments: int
    n_words: int
    log_prob: float
    outside_log_prob: float
    outside: Counter[str]

    @property
    def n_outside(self) -> int:
        """Count the words outside the vocabulary."""
        return self.outside.total()

    @property
    def with_outside(self) -> float:
        """Perplexity of all tokens."""
        return _perplexity(self.log_prob, self.n_words + self.n_segments)

    @property
    def without_outside(self) -> float:
        """Perplexity of the tokens in the vocabulary; ends of segments always are."""
        n_tokens = self.n_words + self.n_segments - self.n_outside
        return _perplexity(self.log_prob - self.outside_log_prob, n_tokens)


def perplexity(model: NGram, segments: Iterable[str]) -> Perplexity:
    """Score a text.

    Args:
        model: The model.
        segments: Words between white space.

    Raises:
        DataError: The text has no segment, or spells `<s>` or `</s>`.

    References:
        Jelinek et al., "Perplexity - a measure of the difficulty of speech recognition tasks",
        Journal of the Acoustical Society of America 62, 1977.
    """
    n_segments = n_words = 0
    log_probs, outside_log_probs = [], []
    outside: Counter[str] = Counter()
    for segment in segments:
        words = segment.split()
        refuse_reserved(words, SPECIAL[1:], segment)  # `<unk>` can be scored
        ids = model.vocabulary.ids(words)
        scores = np.empty(len(ids) + 1)
        score_segment(model.nodes, np.array(ids, np.int32), scores)
        log_probs.append(math.fsum(scores))
        for word, i, score in zip(words, ids, scores, strict=False):
            if i == UNKNOWN_ID:
                outside[word] += 1
                outside_log_probs.append(float(score))
        n_segments += 1
        n_words += len(words)
    if not n_segments:
        raise DataError("expected a text to score, got none with a word")
    return Perplexity(
        n_segments, n_words, math.fsum(log_probs), math.fsum(outside_log_probs), outside
    )


def _perplexity(log_prob: float, n_tokens: int) -> float:
    try:
        return math.exp(-log_prob / n_tokens)
    except OverflowError:
        return math.inf
