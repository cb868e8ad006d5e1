from xml.etree import ElementTree

from asr.chart.axis import Axis
from asr.chart.lines import HEIGHT, WIDTH, Line, chart
from asr.chart.sheet import HEADING, sheet

SVG = "{http://www.w3.org/2000/svg}"
UNIT = Axis("unit", 0.0, 1.0, ((0.0, "0"), (1.0, "1")))
CHART = chart("diagonal", [Line("d", ((0.0, 0.0), (1.0, 1.0)))], UNIT, UNIT)


def test_a_sheet_arranges_its_charts_in_rows() -> None:
    root = ElementTree.fromstring(sheet([("one & two", [CHART, CHART]), ("three", [CHART])]))

    places = [(int(s.get("x") or 0), int(s.get("y") or 0)) for s in root.findall(f"{SVG}svg")]

    assert [text.text for text in root.findall(f"{SVG}text")] == ["one & two", "three"]
    assert places == [(0, HEADING), (WIDTH, HEADING), (0, 2 * HEADING + HEIGHT)]
    assert (root.get("width"), root.get("height")) == (str(2 * WIDTH), str(2 * (HEADING + HEIGHT)))
    assert len(list(root.iter(f"{SVG}svg"))) == 1 + 3 * 3


def test_a_sheet_needs_no_page_around_it() -> None:
    assert "var(" not in sheet([("alone", [CHART])])
