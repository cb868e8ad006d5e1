"""Calibration: what a search says of a word becomes the probability that the word is right.

A search's own confidence in a word is the product of its tokens' posteriors. The odds are taken to
be a product of powers of what every recognised word has:

    odds = e^offset · confidence^b / (1 - confidence)^d · (letters / 4)^l · (seconds / 0.25)^s

With b = d = 1 and the rest 0 they are the search's own; b and d are never below 0, so that of two
words alike in letters and length the one of which the search is surer never comes out as less sure.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, astuple, dataclass, replace

import numpy as np
from numpy.typing import NDArray

from asr.errors import ConfigError
from asr.text.transcript import Transcript, Word, mean_confidence

Numbers = NDArray[np.float64]

MIN_DOUBT = 5e-5  # transcripts have four decimals: 0 and 1 are what was rounded to them
MIN_SECONDS = 0.01
USUAL_LETTERS, USUAL_SECONDS = 4.0, 0.25  # so that the offset is that of a usual word


@dataclass(frozen=True, slots=True)
class Calibration:
    """The exponents of the odds.

    Args:
        offset: Natural log of the factor in front.
        confidence: Exponent of the search's confidence, 0 or more.
        doubt: Exponent of one minus that, in the denominator, 0 or more.
        letters: Exponent of the number of characters in the word, in fours.
        seconds: Exponent of the time from the word's start to its end, in quarters of a second.

    Raises:
        ConfigError: A number is not finite, or `confidence` or `doubt` is below 0.

    References:
        Kull, Silva Filho and Flach, "Beta calibration", AISTATS 2017: the first three.

    Example:
        >>> said = Transcript("a", "NINE", words=(Word("NINE", 0.0, 0.5, 0.9),))
        >>> round(Calibration(seconds=-1.0)(said).words[0].confidence, 3)  # twice as long as usual
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
        """Give words, those of alternatives too, the probability that they are right as confidence.

        Args:
            transcript: Every word with the search's own confidence.
        """
        words = self._words(transcript.words)
        n_best = [replace(entry, words=self._words(entry.words)) for entry in transcript.n_best]
        return replace(
            transcript, words=words, n_best=tuple(n_best), confidence=mean_confidence(words)
        )

    def probabilities(self, confidences: Numbers, letters: Numbers, seconds: Numbers) -> Numbers:
        """Compute the probability that words are right.

        Args:
            confidences: (N,), the search's own, 0 to 1.
            letters: (N,), at least 1.
            seconds: (N,).

        Returns:
            (N,), above 0 and below 1.
        """
        log_odds = factors(confidences, letters, seconds) @ np.array(astuple(self))
        return probability(log_odds)

    def _words(self, words: Sequence[Word]) -> tuple[Word, ...]:
        probabilities = self.probabilities(*measures(words))
        return tuple(
            replace(word, confidence=float(probability))
            for word, probability in zip(words, probabilities, strict=True)
        )


def measures(words: Sequence[Word]) -> tuple[Numbers, Numbers, Numbers]:
    """Take confidences, letters and seconds, (N,) each, of words that have a confidence."""
    rows = [(word.confidence, len(word.text), word.end - word.start) for word in words]
    confidences, letters, seconds = np.array(rows, np.float64).reshape(-1, 3).T
    return confidences, letters, seconds


def factors(confidences: Numbers, letters: Numbers, seconds: Numbers) -> Numbers:
    """Take the logs of what the exponents belong to: (N, 5), in the order of the exponents."""
    sure = np.clip(confidences, MIN_DOUBT, 1.0 - MIN_DOUBT)
    return np.stack(
        [
            np.ones_like(sure),
            np.log(sure),
            -np.log1p(-sure),
            np.log(np.maximum(letters, 1.0) / USUAL_LETTERS),
            np.log(np.maximum(seconds, MIN_SECONDS) / USUAL_SECONDS),
        ],
        axis=1,
    )


def probability(log_odds: Numbers) -> Numbers:
    """Turn log odds into probabilities, without overflow, and never into certainty."""
    bounded = np.clip(log_odds, -30.0, 30.0)
    result: Numbers = 1.0 / (1.0 + np.exp(-bounded))
    return result
