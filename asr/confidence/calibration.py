"""Calibration: a search's confidence in a word becomes the probability that the word is correct.

A search's raw confidence in a word is the product of its tokens' posteriors. The odds that the word
is correct are modelled as a product of powers:

    odds = e^offset · confidence^b / (1 - confidence)^d · (letters / 4)^l · (seconds / 0.25)^s

With b = d = 1 and the rest 0 this is the raw confidence. b and d are never negative, so that the
probability never falls as the confidence rises.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, astuple, dataclass, replace

import numpy as np
from numpy.typing import NDArray

from asr.errors import ConfigError
from asr.text.transcript import Transcript, Word, mean_confidence

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

MIN_DOUBT = 5e-5  # half the last of a transcript's four decimals: a 0 or 1 may be rounded
MIN_SECONDS = 0.01
TYPICAL_LETTERS, TYPICAL_SECONDS = 4.0, 0.25  # the offset is that of a typical word


@dataclass(frozen=True, slots=True)
class Calibration:
    """The exponents of the odds, in the formula's order; b is `confidence`, d is `doubt`.

    Raises:
        ConfigError: A number is not finite, or `confidence` or `doubt` is below 0.

    References:
        Kull, Silva Filho and Flach, "Beta calibration", AISTATS 2017: the first three.

    Example:
        >>> transcript = Transcript("a", "NINE", words=(Word("NINE", 0.0, 0.5, 0.9),))
        >>> round(Calibration(seconds=-1.0)(transcript).words[0].confidence, 3)  # long
        0.818
    """

    offset: float = 0.0
    confidence: float = 1.0
    doubt: float = 1.0
    letters: float = 0.0
    seconds: float = 0.0

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not math.isfinite(value):
                raise ConfigError(f"{name} must be finite, got {value}")
        for name in ("confidence", "doubt"):
            if getattr(self, name) < 0:
                raise ConfigError(f"{name} must be 0 or more, got {getattr(self, name)}")

    def __call__(self, transcript: Transcript) -> Transcript:
        """Turn the raw confidences of all words, those of alternatives too, into probabilities."""
        words = self.words(transcript.words)
        n_best = [replace(entry, words=self.words(entry.words)) for entry in transcript.n_best]
        return replace(
            transcript, words=words, n_best=tuple(n_best), confidence=mean_confidence(words)
        )

    def words(self, words: Sequence[Word]) -> tuple[Word, ...]:
        """Turn the raw confidences of words into probabilities."""
        probabilities = self.probabilities(*measures(words))
        return tuple(
            replace(word, confidence=float(probability))
            for word, probability in zip(words, probabilities, strict=True)
        )

    def probabilities(self, confidences: Floats, letters: Floats, seconds: Floats) -> Floats:
        """Compute the probability that words are correct.

        Args:
            confidences: (N,), raw, 0 to 1.
            letters: (N,), at least 1.
            seconds: (N,).

        Returns:
            (N,), above 0 and below 1.
        """
        log_odds = factors(confidences, letters, seconds) @ np.array(astuple(self))
        return probability(log_odds)


def measures(words: Sequence[Word]) -> tuple[Floats, Floats, Floats]:
    """Return confidences, letters and seconds, (N,) each, of words that have a confidence."""
    rows = [(word.confidence, len(word.text), word.end - word.start) for word in words]
    confidences, letters, seconds = np.array(rows, np.float64).reshape(-1, 3).T
    return confidences, letters, seconds


def factors(confidences: Floats, letters: Floats, seconds: Floats) -> Floats:
    """Return the logs of the bases, (N, 5), in the order of the exponents."""
    clipped = np.clip(confidences, MIN_DOUBT, 1.0 - MIN_DOUBT)
    return np.stack(
        [
            np.ones_like(clipped),
            np.log(clipped),
            -np.log1p(-clipped),
            np.log(np.maximum(letters, 1.0) / TYPICAL_LETTERS),
            np.log(np.maximum(seconds, MIN_SECONDS) / TYPICAL_SECONDS),
        ],
        axis=1,
    )


def probability(log_odds: Floats) -> Floats:
    """Turn log odds into probabilities, without overflow, strictly between 0 and 1."""
    bounded = np.clip(log_odds, -30.0, 30.0)
    result: Floats = 1.0 / (1.0 + np.exp(-bounded))
    return result
