import math

import numpy as np
import pytest

from asr.confidence.calibration import Calibration
from asr.errors import ConfigError
from asr.text.transcript import Alternative, Transcript, Word

CONFIDENCES = np.linspace(0.0, 1.0, 1001)
ALIKE = np.full(1001, 5.0), np.full(1001, 0.4)


def test_a_default_calibration_changes_nothing() -> None:
    kept = Calibration().probabilities(CONFIDENCES, *ALIKE)

    assert kept == pytest.approx(CONFIDENCES, abs=5.001e-5)


def test_the_odds_are_the_product_of_powers_that_the_docstring_promises() -> None:
    calibration = Calibration(0.1, 0.5, 0.8, 1.5, -2.0)

    (probability,) = calibration.probabilities(np.array([0.6]), np.array([8.0]), np.array([0.5]))

    odds = math.exp(0.1) * 0.6**0.5 / 0.4**0.8 * (8 / 4) ** 1.5 * (0.5 / 0.25) ** -2.0
    assert probability == pytest.approx(odds / (1 + odds))


@pytest.mark.parametrize("slopes", [(0.2, 0.7), (0.0, 1.0), (3.0, 0.0), (0.0, 0.0)])
def test_probabilities_never_fall_as_confidences_rise(
    slopes: tuple[float, float],
) -> None:
    calibration = Calibration(-1.0, *slopes, letters=2.0, seconds=-2.0)

    probabilities = calibration.probabilities(CONFIDENCES, *ALIKE)

    assert (np.diff(probabilities) >= 0.0).all()
    assert ((probabilities > 0.0) & (probabilities < 1.0)).all()


def test_extreme_words_get_probabilities_too() -> None:
    calibration = Calibration(0.0, 50.0, 50.0, 20.0, -20.0)
    extremes = np.array([0.0, 1.0]), np.array([0.0, 1e6]), np.array([1e6, 0.0])

    probabilities = calibration.probabilities(*extremes)

    assert ((probabilities > 0.0) & (probabilities < 1.0)).all()


def test_words_alternatives_and_the_whole_get_probabilities() -> None:
    words = (Word("NINE", 0.0, 0.25, 0.5), Word("ONE", 0.25, 0.5, 0.5))
    other = Alternative("FOUR", -2.0, words=(Word("FOUR", 0.0, 0.25, 0.5),))
    transcript = Transcript("a", "NINE ONE", confidence=0.5, words=words, n_best=(other,))

    calibrated = Calibration(math.log(3.0))(transcript)

    assert [word.confidence for word in calibrated.words] == pytest.approx([0.75, 0.75])
    assert calibrated.n_best[0].words[0].confidence == pytest.approx(0.75)
    assert calibrated.confidence == pytest.approx(0.75)
    assert [word.text for word in calibrated.words] == ["NINE", "ONE"]


def test_an_empty_transcript_is_unchanged() -> None:
    empty = Transcript("a", "", duration=1.0)

    assert Calibration(1.0)(empty) == empty


@pytest.mark.parametrize(
    ("exponents", "reason"),
    [
        ({"confidence": -0.1}, "confidence must be 0 or more, got -0.1"),
        ({"doubt": -1.0}, "doubt must be 0 or more"),
        ({"seconds": math.nan}, "seconds must be finite, got nan"),
        ({"offset": math.inf}, "offset must be finite, got inf"),
    ],
)
def test_impossible_exponents_are_refused(exponents: dict[str, float], reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        Calibration(**exponents)
