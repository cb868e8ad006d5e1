"""Reliability: the quality of confidences before and after calibration, as table and diagram."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from asr.chart.axis import Axis, linear_axis
from asr.chart.lines import Line, chart
from asr.chart.sheet import sheet
from asr.confidence.calibration import Bools, Floats
from asr.confidence.quality import (
    N_BINS,
    Bin,
    area_under_curve,
    bins,
    calibration_error,
    normalised_cross_entropy,
)
from asr.errors import counted

BEFORE, AFTER, GREY = 0, 1, 5  # colours

_TENTHS = tuple((i / N_BINS, f"{i / N_BINS:g}") for i in range(N_BINS + 1))
_CONFIDENCE = Axis("confidence", 0.0, 1.0, _TENTHS)


@dataclass(frozen=True, slots=True, eq=False)
class Reliability:
    """The words of one search.

    Attributes:
        search: The kind of search.
        is_correct: (N,), N at least 1.
        before: (N,), raw confidences.
        after: (N,), calibrated confidences.
    """

    search: str
    is_correct: Bools
    before: Floats
    after: Floats


def table(reliabilities: Sequence[Reliability]) -> str:
    """Write NCE, ECE in per cent and AUC, before → after, a line per search; see `quality`."""
    columns = f"{'search':10}{'words':>7}{'correct %':>11}{'NCE':>18}{'ECE %':>15}{'AUC':>17}"
    return "\n".join([columns, *[_row(one) for one in reliabilities]]) + "\n"


def svg(reliabilities: Sequence[Reliability]) -> str:
    """Draw each search's reliability diagram and the histogram of its confidences.

    In a reliability diagram a dot is a bin: the mean confidence of its words, and the share of
    correct ones. Calibrated confidences lie on the diagonal.

    References:
        Niculescu-Mizil and Caruana, "Predicting good probabilities with supervised learning", ICML
        2005.
    """
    return sheet([(_heading(one), [_diagram(one), _shares(one)]) for one in reliabilities])


def _row(one: Reliability) -> str:
    correct = 100 * one.is_correct.mean()
    return (
        f"{one.search:10}{len(one.is_correct):>7}{correct:>11.1f}"
        f"{_nce(one):>18}{_ece(one):>15}{_auc(one):>17}"
    )


def _heading(one: Reliability) -> str:
    words = f"{counted(len(one.is_correct), 'word')}, {100 * one.is_correct.mean():.1f} % correct"
    return f"{one.search}: {words}; NCE {_nce(one)}, ECE {_ece(one)} %"


def _nce(one: Reliability) -> str:
    return _change(normalised_cross_entropy, one, ".3f")


def _ece(one: Reliability) -> str:
    return _change(lambda *words: 100 * calibration_error(*words), one, ".1f")


def _auc(one: Reliability) -> str:
    return _change(area_under_curve, one, ".3f")


def _change(measure: Callable[[Floats, Bools], float | None], one: Reliability, number: str) -> str:
    values = [measure(confidences, one.is_correct) for confidences in (one.before, one.after)]
    texts = ["–" if value is None else format(value, number) for value in values]
    return " → ".join(texts).replace("-", "−")


def _diagram(one: Reliability) -> str:
    lines = [
        Line("perfectly calibrated", ((0.0, 0.0), (1.0, 1.0)), GREY, dashes=1),
        Line("raw", _dots(bins(one.before, one.is_correct)), BEFORE, has_dots=True),
        Line("calibrated", _dots(bins(one.after, one.is_correct)), AFTER, has_dots=True),
    ]
    title = f"Share of correct words by confidence, {one.search}"
    return chart(title, lines, _CONFIDENCE, Axis("share of correct words", 0.0, 1.0, _TENTHS))


def _dots(all_bins: Sequence[Bin]) -> tuple[tuple[float, float], ...]:
    return tuple(
        (one.confidence, one.correct)
        for one in all_bins
        if one.confidence is not None and one.correct is not None
    )


def _shares(one: Reliability) -> str:
    before, after = bins(one.before, one.is_correct), bins(one.after, one.is_correct)
    lines = [Line("raw", _steps(before), BEFORE), Line("calibrated", _steps(after), AFTER)]
    y = linear_axis("% of all words", [0.0, *[100 * one.share for one in (*before, *after)]])
    return chart(f"Share of words by confidence, {one.search}", lines, _CONFIDENCE, y)


def _steps(all_bins: Sequence[Bin]) -> tuple[tuple[float, float], ...]:
    """Outline a histogram, from the axis and back to it."""
    corners = [
        ((i + edge) / N_BINS, 100 * one.share) for i, one in enumerate(all_bins) for edge in (0, 1)
    ]
    return ((0.0, 0.0), *corners, (1.0, 0.0))
