from xml.etree import ElementTree

from asr.report.grid import Point, best_point, svg, table

GRID = {
    Point(0.5, -1.0, 0.2): 0.5,
    Point(0.5, 0.0, 0.2): 0.4,
    Point(1.0, -1.0, 0.2): 0.25,
    Point(1.0, 0.0, 0.2): 0.3,
}


def test_the_best_point_has_the_fewest_errors_and_is_marked() -> None:
    assert best_point(GRID) == (1.0, -1.0, 0.2)
    lines = table(GRID).splitlines()
    assert lines[0].split()[-2:] == ["0.5", "1"]
    assert lines[1].split() == ["-1", "0.2", "50.00", "25.00*"]
    assert lines[2].split() == ["0", "0.2", "40.00", "30.00"]
    assert len({len(line) for line in lines}) == 1


def test_the_picture_is_xml_with_a_cell_per_point() -> None:
    root = ElementTree.fromstring(svg(GRID, "a < b"))
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert texts[0] == "a < b"
    assert {"25.00*", "30.00", "40.00", "50.00"} <= set(texts)


def test_a_grid_of_one_point_is_drawn_too() -> None:
    assert "50.00*" in svg({Point(1.0, 0.0, 0.0): 0.5}, "one")


def test_a_title_is_text_whatever_it_holds() -> None:
    picture = svg({Point(0.5, 0.0, 0.0): 0.1}, "<script>&\x1b[2J")

    texts = [element.text for element in ElementTree.fromstring(picture).iter()]
    assert "<script>&\\x1b[2J" in texts
