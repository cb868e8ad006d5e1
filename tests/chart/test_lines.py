import math
from xml.etree import ElementTree

import pytest

from asr.chart.axis import Axis, decade_axis, linear_axis, named_axis
from asr.chart.lines import EDGE, Line, chart

UNIT = Axis("unit", 0.0, 1.0, ((0.0, "0"), (1.0, "1")))


def elements(svg: str, tag: str) -> list[ElementTree.Element]:
    return [found for found in ElementTree.fromstring(svg).iter() if found.tag == tag]


def test_a_chart_is_well_formed_and_names_are_escaped() -> None:
    svg = chart('a "<b>" & c', [Line("<i>&", ((0.0, 0.0), (1.0, 1.0)))], UNIT, UNIT)

    assert ElementTree.fromstring(svg).get("aria-label") == 'a "<b>" & c'
    assert "<i>&" in [text.text for text in elements(svg, "text")]


def test_a_line_goes_from_corner_to_corner_of_its_axes() -> None:
    svg = chart("diagonal", [Line("d", ((0.0, 0.0), (1.0, 1.0)))], UNIT, UNIT)
    frame = elements(svg, "svg")[1]
    left, top, width, height = (float(n) for n in (frame.get("viewBox") or "").split())

    line = next(path for path in elements(svg, "path") if path.get("class") == "line c0 d0")

    # a dot at either end is whole
    left, right, top, bottom = left + EDGE, left + width - EDGE, top + EDGE, top + height - EDGE
    assert line.get("d") == f"M{left:.1f} {bottom:.1f}L{right:.1f} {top:.1f}"


def test_a_line_of_one_point_is_a_dot() -> None:
    assert len(elements(chart("one", [Line("o", ((0.5, 0.5),))], UNIT, UNIT), "circle")) == 1


def test_dots_alone_are_not_joined() -> None:
    points = ((0.0, 0.5), (0.5, 0.5), (1.0, 0.5))
    svg = chart("dots", [Line("d", points, has_dots=True, has_line=False)], UNIT, UNIT)

    assert not any("line" in (path.get("class") or "") for path in elements(svg, "path"))
    assert len(elements(svg, "circle")) == 3 + 1  # and in the legend


def test_points_that_are_not_finite_are_left_out() -> None:
    points = ((0.0, -math.inf), (0.5, 0.5), (1.0, math.nan))
    svg = chart("gap", [Line("g", points, has_dots=True)], UNIT, UNIT)

    assert len(elements(svg, "circle")) == 1
    assert "inf" not in svg
    assert "nan" not in svg


def test_a_line_without_points_is_in_the_legend_only() -> None:
    svg = chart("none", [Line("n", ())], UNIT, UNIT)

    assert sum((path.get("class") or "").startswith("line") for path in elements(svg, "path")) == 1


@pytest.mark.parametrize(
    ("values", "low", "high", "names"),
    [
        ([0.0, 93.0], 0.0, 100.0, ["0", "20", "40", "60", "80", "100"]),
        ([-1.0, 1.0], -1.0, 1.0, ["−1", "−0.5", "0", "0.5", "1"]),
        ([0.0, 0.0], 0.0, 0.2, ["0", "0.2"]),
    ],
)
def test_a_linear_axis_has_round_numbers_around_its_values(
    values: list[float], low: float, high: float, names: list[str]
) -> None:
    axis = linear_axis("x", values)

    assert (axis.low, axis.high) == (low, high)
    assert [name for _, name in axis.ticks] == names


def test_what_is_counted_has_no_halves() -> None:
    axis = linear_axis("epoch", [0.0, 4.0], least_step=1)

    assert [name for _, name in axis.ticks] == ["0", "1", "2", "3", "4"]


def test_an_axis_of_decades_ends_at_its_floor() -> None:
    axis = decade_axis("y", [0.3, -33.0, -math.inf], floor=-12)

    assert (axis.low, axis.high) == (-12, 1)
    assert [name for _, name in axis.ticks][:2] == ["10¹", "10⁻¹"]


def test_a_named_axis_has_half_a_step_at_both_ends() -> None:
    assert named_axis("x", ["a", "b"]).share(0.0) == 0.25
