import numpy as np
import pytest

from asr.model.dense_trigram import BORDER, dense_trigram


def test_each_history_has_a_distribution_without_zeros() -> None:
    trigram = dense_trigram([[1, 2, 3], [1, 1], []], 5)

    np.testing.assert_allclose(trigram.sum(axis=2), 1.0)
    assert (trigram > 0).all()


def test_it_is_witten_and_bells_interpolation_by_hand() -> None:
    trigram = dense_trigram([[1], [1], [2]], 3)

    # Nine tokens in all are three borders, two 1 and one 2: six counts, three kinds.
    single = (np.array([3, 2, 1]) + 3 * np.full(3, 1 / 3)) / (6 + 3)
    behind_border = (np.array([0, 2, 1]) + 2 * single) / (3 + 2)
    assert trigram[BORDER, BORDER] == pytest.approx(
        (np.array([0, 2, 1]) + 2 * behind_border) / (3 + 2)
    )


def test_an_unseen_history_backs_off_to_the_shorter_one() -> None:
    trigram = dense_trigram([[1, 2], [2, 1]], 4)

    np.testing.assert_array_equal(trigram[3, 1], trigram[1, 1])
    np.testing.assert_array_equal(trigram[1, 3], trigram[2, 3])
    assert (trigram[BORDER, 1] != trigram[3, 1]).any()


def test_no_text_is_uniform() -> None:
    np.testing.assert_allclose(dense_trigram([], 4), 0.25)
