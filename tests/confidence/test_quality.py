import math

import numpy as np
import pytest

from asr.confidence.quality import (
    area_under_curve,
    bins,
    calibration_error,
    normalised_cross_entropy,
)

LABELS = np.array([True, True, False, False])


def test_entropy_is_that_of_a_case_worked_by_hand() -> None:
    """Half of the words are correct: 1 bit each without confidences, 0.737 with these."""
    confidences = np.array([0.6, 0.6, 0.4, 0.4])

    assert normalised_cross_entropy(confidences, LABELS) == pytest.approx(1 + math.log2(0.6))


def test_the_share_of_correct_words_as_every_confidence_gives_zero() -> None:
    labels = np.array([True, True, True, False])

    assert normalised_cross_entropy(np.full(4, 0.75), labels) == pytest.approx(0.0)


def test_labels_as_confidences_give_one_and_their_opposites_a_finite_negative() -> None:
    truth = LABELS.astype(np.float64)

    assert normalised_cross_entropy(truth, LABELS) == pytest.approx(1.0, abs=1e-3)
    misled = normalised_cross_entropy(1.0 - truth, LABELS)
    assert misled is not None
    assert -20.0 < misled < -10.0


def test_calibration_error_is_the_mean_distance_from_the_diagonal() -> None:
    confidences = np.array([0.95, 0.85, 0.15, 0.15])

    error = calibration_error(confidences, LABELS)

    assert error == pytest.approx((0.05 + 0.15 + 0.15 + 0.15) / 4)


def test_bins_hold_all_words_and_the_last_includes_1() -> None:
    all_bins = bins(np.array([0.0, 0.1, 0.95, 1.0]), LABELS)

    assert [one.share for one in all_bins] == [0.25, 0.25, *[0.0] * 7, 0.5]
    assert all_bins[9].confidence == pytest.approx(0.975)
    assert (all_bins[0].correct, all_bins[1].correct, all_bins[9].correct) == (1.0, 1.0, 0.0)
    assert (all_bins[5].confidence, all_bins[5].correct) == (None, None)


def test_area_under_the_curve_counts_pairs_in_order_and_ties_as_half() -> None:
    confidences = np.array([0.9, 0.4, 0.4, 0.1])  # of 4 pairs 3 are in order, 1 is a tie

    assert area_under_curve(confidences, LABELS) == pytest.approx(3.5 / 4)
    assert area_under_curve(np.full(4, 0.3), LABELS) == pytest.approx(0.5)


@pytest.mark.parametrize("is_correct", [True, False])
def test_with_one_label_only_the_calibration_error_is_defined(*, is_correct: bool) -> None:
    confidences, labels = np.array([0.2, 0.9]), np.full(2, is_correct)

    assert normalised_cross_entropy(confidences, labels) is None
    assert area_under_curve(confidences, labels) is None
    expected = 0.45 if is_correct else 0.55
    assert calibration_error(confidences, labels) == pytest.approx(expected)
