import math

import numpy as np
import pytest

from asr.search.emission import Emission
from asr.search.hypothesis import from_alignment


def emission_of(alignment: list[int], probabilities: list[float]) -> Emission:
    """Three tokens; the one of the alignment has the given probability in each frame."""
    emission: Emission = np.full((len(alignment), 3), math.log(0.01))
    emission[np.arange(len(alignment)), alignment] = np.log(probabilities)
    return emission


def test_a_token_begins_where_its_run_begins_and_is_as_sure_as_its_surest_frame() -> None:
    alignment = [0, 1, 1, 0, 0, 2]
    emission = emission_of(alignment, [0.9, 0.4, 0.7, 0.9, 0.9, 0.5])
    hypothesis = from_alignment(emission, np.array(alignment), -3.5)
    assert hypothesis.tokens == (1, 2)
    assert (hypothesis.frames, hypothesis.ends) == ((1, 5), (3, 6))
    assert hypothesis.confidences == pytest.approx((0.7, 0.5))
    assert hypothesis.score == -3.5


def test_a_confidence_is_never_above_one_however_softmax_was_rounded() -> None:
    hypothesis = from_alignment(np.array([[-9.0, 1e-7]]), np.array([1]), 0.0)
    assert hypothesis.confidences == (1.0,)
