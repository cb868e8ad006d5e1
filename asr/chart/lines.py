"""Lines: curves over two axes as an SVG element, for a page or a sheet.

Colours and fonts are left to the rules of `style`: lines have the classes c0 to c5 (colour) and d0
to d3 (dashes).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from asr.chart.axis import Axis
from asr.chart.frame import Frame, text

WIDTH, HEIGHT = 860, 400
FRAME = Frame(WIDTH, HEIGHT, left=70, right=WIDTH - 190, top=16, bottom=HEIGHT - 52)
LEGEND_LINE = 22
EDGE = 5  # around the plot, for dots and lines at its ends


@dataclass(frozen=True, slots=True)
class Line:
    """A curve, its name in the legend, and its look.

    Attributes:
        name: In the legend.
        points: In the axes' units.
        colour: From 0.
        dashes: From 0, which is none.
        has_dots: Whether each point has a dot.
        has_line: Whether points are joined. Between values of a named axis there is nothing.
    """

    name: str
    points: tuple[tuple[float, float], ...]
    colour: int = 0
    dashes: int = 0
    has_dots: bool = False
    has_line: bool = True


def chart(title: str, lines: Sequence[Line], x: Axis, y: Axis) -> str:
    """Draw lines, with a legend in their order, as an `<svg>` element.

    Args:
        title: A description for people who cannot see it.
        lines: In the axes' units; clipped to the axes.
        x: The horizontal axis.
        y: The vertical axis.
    """
    left, top = FRAME.left - EDGE, FRAME.top - EDGE
    width, height = FRAME.right + EDGE - left, FRAME.bottom + EDGE - top
    box = f'x="{left}" y="{top}" width="{width}" height="{height}"'
    return "\n".join(
        [
            FRAME.opening(title),
            *FRAME.grid(x, y),
            f'<svg {box} viewBox="{left} {top} {width} {height}">',  # clips
            *[_line(line, x, y) for line in lines],
            "</svg>",
            *_legend(lines),
            "</svg>",
        ]
    )


def _line(line: Line, x: Axis, y: Axis) -> str:
    finite = [point for point in line.points if math.isfinite(point[1])]
    places = [(FRAME.across(x_value, x), FRAME.down(y_value, y)) for x_value, y_value in finite]
    path = "L".join(f"{across:.1f} {down:.1f}" for across, down in places)
    drawn = (
        f'<path class="line c{line.colour} d{line.dashes}" d="M{path}"/>'
        if path and line.has_line
        else ""
    )
    dots = [
        f'<circle class="c{line.colour}" cx="{across:.1f}" cy="{down:.1f}" r="3.5"/>'
        for across, down in places
    ]
    return drawn + ("".join(dots) if line.has_dots or len(dots) == 1 else "")


def _legend(lines: Sequence[Line]) -> list[str]:
    parts = []
    for i, line in enumerate(lines):
        down, left = FRAME.top + 12 + i * LEGEND_LINE, FRAME.right + 16
        sample = (
            f'<path class="line c{line.colour} d{line.dashes}" d="M{left} {down - 4}h28"/>'
            if line.has_line
            else f'<circle class="c{line.colour}" cx="{left + 14}" cy="{down - 4}" r="3.5"/>'
        )
        parts.append(sample + text(left + 36, down, line.name, "start"))
    return parts
