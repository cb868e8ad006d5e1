import numpy as np
import pytest
from numpy.typing import NDArray

from asr.report.grid import Point
from asr.report.grid_search import Decode, grid_search
from asr.wer.nist import Segment

REFERENCES = [Segment("a", "ONE TWO"), Segment("b", "THREE FOUR")]
EMISSIONS = {
    "b": np.log(np.array([[0.9, 0.1]], np.float32)),
    "a": np.log(np.array([[0.2, 0.8]], np.float32)),
    "unused": np.empty((0, 2), np.float32),
}


def decoder(point: Point) -> Decode:
    """Recognise "b" only with an lm_weight, "a" always, and insert words with a word_score."""

    def decode(emission: NDArray[np.float32]) -> str:
        is_a = emission[0, 1] > emission[0, 0]
        text = "one two" if is_a else "three four" if point.lm_weight else ""
        return f"{text} more" if point.word_score else text

    return decode


POINTS = [Point(lm_weight, word_score, 0.0) for lm_weight in (0, 1) for word_score in (0, 2)]


def run(n_threads: int) -> dict[Point, float]:
    wers = grid_search(
        EMISSIONS, REFERENCES, decoder, POINTS, normaliser="librispeech-1", n_threads=n_threads
    )
    return dict(wers)


@pytest.mark.parametrize("n_threads", [1, 3])
def test_every_point_has_its_wer_whatever_the_threads(n_threads: int) -> None:
    assert run(n_threads) == {
        (0.0, 0.0, 0.0): 2 / 4,
        (0.0, 2.0, 0.0): 3 / 4,  # an insertion, a substitution and a deletion
        (1.0, 0.0, 0.0): 0.0,
        (1.0, 2.0, 0.0): 2 / 4,
    }


def test_points_come_in_their_order() -> None:
    assert list(run(1)) == POINTS
