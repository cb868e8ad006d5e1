"""Fitting: known exponents are found again, and little data does little."""

from dataclasses import astuple, replace

import numpy as np
import pytest

from asr.confidence.calibration import Calibration, Floats
from asr.confidence.fit import cross_validated, fit
from asr.confidence.labels import LabelledWords
from asr.confidence.quality import calibration_error

TRUTH = Calibration(0.3, 0.4, 0.9, 1.5, -1.2)


def sample(
    n_words: int, truth: Calibration, *, n_speakers: int = 10, seed: int = 0
) -> LabelledWords:
    """Draw words and labels from `truth`."""
    generator = np.random.default_rng(seed)
    confidences = generator.uniform(0.01, 0.99, n_words)
    letters = generator.integers(1, 13, n_words).astype(np.float64)
    seconds = letters * generator.uniform(0.03, 0.12, n_words)
    probabilities = truth.probabilities(confidences, letters, seconds)
    is_correct = generator.uniform(size=n_words) < probabilities
    groups = tuple(f"s{i % n_speakers}" for i in range(n_words))
    return LabelledWords(confidences, letters, seconds, is_correct, groups)


def one_kind(n_words: int, *, is_correct: bool) -> LabelledWords:
    confidences, letters, seconds, labels = (
        np.full(n_words, value) for value in (0.5, 4.0, 0.25, is_correct)
    )
    return LabelledWords(confidences, letters, seconds, labels, ("s",) * n_words)


def test_known_exponents_are_found_again() -> None:
    found = fit(sample(100_000, TRUTH))

    assert astuple(found) == pytest.approx(astuple(TRUTH), abs=0.1)


def test_calibrated_confidences_are_left_alone() -> None:
    found = fit(sample(100_000, Calibration()))

    assert astuple(found) == pytest.approx(astuple(Calibration()), abs=0.1)


def test_a_fit_is_a_maximum_of_the_posterior() -> None:
    words = sample(20_000, TRUTH)
    found = np.array(astuple(fit(words)))

    def log_posterior(exponents: Floats) -> float:
        values = (words.confidences, words.letters, words.seconds)
        p = Calibration(*exponents.tolist()).probabilities(*values)
        prior = -0.5 * float(np.sum((exponents - astuple(Calibration())) ** 2))
        return float(np.log(np.where(words.is_correct, p, 1.0 - p)).sum()) + prior

    best = log_posterior(found)
    for direction in (*np.eye(5), *-np.eye(5)):
        assert log_posterior(found + 1e-3 * direction) < best


def test_confidences_that_mislead_are_flattened_and_never_inverted() -> None:
    upright = sample(5_000, Calibration(0.0, 2.0, 2.0))

    found = fit(replace(upright, confidences=1.0 - upright.confidences))

    assert (found.confidence, found.doubt) == (0.0, 0.0)


@pytest.mark.parametrize("is_correct", [True, False])
def test_words_that_are_all_correct_or_all_wrong_give_finite_exponents(*, is_correct: bool) -> None:
    words = one_kind(1000, is_correct=is_correct)

    found = fit(words)

    (probability,) = found.probabilities(np.array([0.5]), np.array([4.0]), np.array([0.25]))
    assert max(map(abs, astuple(found))) < 20.0
    assert probability == pytest.approx(float(is_correct), abs=0.01)


def test_one_word_changes_little_and_in_its_direction() -> None:
    for is_correct in (True, False):
        found = fit(one_kind(1, is_correct=is_correct))

        (probability,) = found.probabilities(np.array([0.5]), np.array([4.0]), np.array([0.25]))
        assert 0.0 < (probability - 0.5) * (1.0 if is_correct else -1.0) < 0.25


def test_cross_validation_fits_on_other_speakers_only() -> None:
    """Half of the speakers are always correct, the other half never: unpredictable."""
    correct, wrong = one_kind(100, is_correct=True), one_kind(100, is_correct=False)
    confidences, letters, seconds = (
        np.concatenate([getattr(correct, name), getattr(wrong, name)])
        for name in ("confidences", "letters", "seconds")
    )
    labels = np.concatenate([correct.is_correct, wrong.is_correct])
    words = LabelledWords(confidences, letters, seconds, labels, ("a",) * 100 + ("b",) * 100)

    probabilities = cross_validated(words)

    assert probabilities is not None
    assert (probabilities[:100] < 0.1).all()
    assert (probabilities[100:] > 0.9).all()


def test_cross_validated_probabilities_are_calibrated_where_speakers_are_alike() -> None:
    words = sample(20_000, TRUTH)

    probabilities = cross_validated(words)

    assert probabilities is not None
    assert calibration_error(probabilities, words.is_correct) < 0.015
    assert calibration_error(words.confidences, words.is_correct) > 0.05


def test_one_speaker_alone_cannot_be_cross_validated() -> None:
    assert cross_validated(one_kind(5, is_correct=True)) is None
