"""Sheet: rows of charts in one SVG file."""

from collections.abc import Sequence

from asr.chart.frame import text
from asr.chart.lines import HEIGHT, WIDTH
from asr.chart.style import FILE_STYLE

HEADING, LEFT = 40, 24  # in the units of the charts

Row = tuple[str, Sequence[str]]  # a heading, and charts from left to right


def sheet(rows: Sequence[Row]) -> str:
    """Arrange charts in rows under headings.

    Args:
        rows: At least one, each with at least one chart.

    Returns:
        The text of an SVG file.
    """
    width = WIDTH * max(len(charts) for _, charts in rows)
    height = (HEADING + HEIGHT) * len(rows)
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size}>',
        f"<style>\n{FILE_STYLE}</style>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    for i, (heading, charts) in enumerate(rows):
        top = (HEADING + HEIGHT) * i
        parts.append(text(LEFT, top + 26, heading, "start", "heading"))
        for j, chart in enumerate(charts):
            place = f'x="{WIDTH * j}" y="{top + HEADING}" width="{WIDTH}" height="{HEIGHT}"'
            parts.append(f"<svg {place}>\n{chart}\n</svg>")
    return "\n".join([*parts, "</svg>\n"])
