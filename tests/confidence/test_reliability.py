from xml.etree import ElementTree

import numpy as np

from asr.confidence.reliability import Reliability, svg, table

BEFORE = np.array([0.95, 0.95, 0.95, 0.95])
AFTER = np.array([0.5, 0.5, 0.5, 0.5])
ONE = Reliability("beam-lm", np.array([True, True, False, False]), BEFORE, AFTER)
ALL_CORRECT = Reliability("greedy", np.full(4, fill_value=True), BEFORE, AFTER)


def test_the_table_has_a_line_per_search_with_figures_before_and_after() -> None:
    header, line, all_correct = table([ONE, ALL_CORRECT]).splitlines()

    assert header.split() == ["search", "words", "correct", "%", "NCE", "ECE", "%", "AUC"]
    nce = f"{1 + (np.log2(0.95) + np.log2(0.05)) / 2:.3f}".replace("-", "−")
    assert line.split() == [
        *("beam-lm", "4", "50.0"),
        *(nce, "→", "0.000"),
        *("45.0", "→", "0.0"),
        *("0.500", "→", "0.500"),
    ]
    assert all_correct.split() == [
        *("greedy", "4", "100.0", "–", "→", "–"),
        *("5.0", "→", "50.0", "–", "→", "–"),
    ]


def test_the_picture_has_both_diagrams_of_each_search_with_a_dot_per_filled_bin() -> None:
    root = ElementTree.fromstring(svg([ONE, ALL_CORRECT]))

    labels = [found.get("aria-label") for found in root.iter() if found.get("aria-label")]
    dots = [found for found in root.iter() if found.tag.endswith("circle")]

    assert [(label or "").split(", ")[1] for label in labels] == [*["beam-lm"] * 2, *["greedy"] * 2]
    assert [dot.get("class") for dot in dots] == ["c0", "c1"] * 2


def test_histograms_begin_and_end_on_the_axis() -> None:
    root = ElementTree.fromstring(svg([ONE]))

    lines = [p.get("d") or "" for p in root.iter() if (p.get("class") or "").startswith("line")]
    outlines = [line for line in lines if line.count("L") == 21]

    assert len(outlines) == 2
    for outline in outlines:
        corners = outline.removeprefix("M").split("L")
        assert corners[0].split()[1] == corners[-1].split()[1]
