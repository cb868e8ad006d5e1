from xml.etree import ElementTree

from asr.chart.axis import Axis
from asr.chart.estimates import FRAME, Estimate, estimates_chart
from asr.chart.matrix import matrix_chart

UNIT = Axis("unit", 0.0, 1.0, ((0.0, "0"), (1.0, "1")))
EVIL = '<script>"&\x1b'


def test_an_estimate_is_a_dot_over_its_stretch_with_a_whisker_and_a_hint() -> None:
    one = Estimate(0.2, 0.4, 0.5, (0.25, 0.75), EVIL)

    root = ElementTree.fromstring(estimates_chart(EVIL, [one], UNIT, UNIT))

    group = root.find("g")
    assert group is not None
    dot = group.find("circle")
    assert dot is not None
    middle = (FRAME.across(0.3, UNIT), FRAME.down(0.5, UNIT))
    assert (dot.get("cx"), dot.get("cy")) == tuple(f"{place:.1f}" for place in middle)
    assert [path.get("class") for path in group.iter("path")] == ["stretch", "whisker"]
    assert group.findtext("title") == '<script>"&\\x1b'
    assert root.get("aria-label") == '<script>"&\\x1b'


def test_a_single_value_without_an_interval_is_a_dot_alone() -> None:
    svg = estimates_chart("t", [Estimate(0.2, 0.2, 0.5, None, "h")], UNIT, UNIT)

    group = ElementTree.fromstring(svg).find("g")
    assert group is not None
    assert list(group.iter("path")) == []


def test_a_matrix_shades_what_was_counted_and_tells_the_count() -> None:
    svg = matrix_chart("m", {("<", "b"): 3, ("b", "<"): 1}, "<b", ("said", "recognised"))

    full = [r for r in ElementTree.fromstring(svg).iter("rect") if r.get("class") == "full"]
    assert [cell.findtext("title") for cell in full] == ["< → b: 3", "b → <: 1"]
    assert full[0].get("fill-opacity") == "1.00"


def test_the_names_of_a_matrix_have_room() -> None:
    long, wide = "A" * 40, "語" * 3
    svg = matrix_chart("m", {(long, wide): 1}, [long, wide], ("said", "recognised"))

    names = [e for e in ElementTree.fromstring(svg).iter("text") if e.get("class") == "name"]
    assert [name.text for name in names] == [f"{'A' * 13}…", wide] * 2
    rows = [float(name.get("x", "")) for name in names[:2]]
    assert min(rows) > 14 * 7  # 14 letters of 12 pixels, and the title before them


def test_an_empty_matrix_can_be_drawn() -> None:
    assert "full" not in matrix_chart("m", {}, "ab", ("said", "recognised"))
