"""Lines: curves over two axes as an SVG element, for a page or a sheet.

Colours and fonts are left to the rules of `style`: lines have the classes c0 to c5 (colour) and d0
to d3 (dashes).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from asr.chart.axis import Axis

WIDTH, HEIGHT = 860, 400
LEFT, RIGHT, TOP, BOTTOM = 70, WIDTH - 190, 16, HEIGHT - 52  # edges of the plot
LEGEND_LINE = 22


@dataclass(frozen=True, slots=True)
class Line:
    """A curve, its name in the legend, and its look."""

    name: str
    points: tuple[tuple[float, float], ...]
    colour: int = 0
    dashes: int = 0
    has_dots: bool = False


def chart(title: str, lines: Sequence[Line], x: Axis, y: Axis) -> str:
    """Draw lines, with a legend in their order, as an `<svg>` element.

    Args:
        title: A description for people who cannot see it.
        lines: In the axes' units; clipped to the axes.
        x: The horizontal axis.
        y: The vertical axis.
    """
    label = escape(title, quote=True)
    width, height = RIGHT - LEFT, BOTTOM - TOP
    box = f'x="{LEFT}" y="{TOP}" width="{width}" height="{height}"'
    return "\n".join(
        [
            f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">',
            *_grid(x, y),
            f'<svg {box} viewBox="{LEFT} {TOP} {width} {height}">',  # clips
            *[_line(line, x, y) for line in lines],
            "</svg>",
            *_legend(lines),
            "</svg>",
        ]
    )


def _across(value: float, x: Axis) -> float:
    return LEFT + x.share(value) * (RIGHT - LEFT)


def _down(value: float, y: Axis) -> float:
    return BOTTOM - y.share(value) * (BOTTOM - TOP)


def _grid(x: Axis, y: Axis) -> list[str]:
    parts = []
    for value, name in x.ticks:
        at = _across(value, x)
        parts.append(f'<path class="grid" d="M{at:.1f} {TOP}V{BOTTOM}"/>')
        parts.append(_text(at, BOTTOM + 18, name, "middle"))
    for value, name in y.ticks:
        at = _down(value, y)
        parts.append(f'<path class="grid" d="M{LEFT} {at:.1f}H{RIGHT}"/>')
        parts.append(_text(LEFT - 8, at + 4, name, "end"))
    parts.append(_text((LEFT + RIGHT) / 2, HEIGHT - 8, x.title, "middle", "title"))
    turned = f'transform="translate(16 {(TOP + BOTTOM) / 2:.0f}) rotate(-90)"'
    parts.append(f'<text class="title" text-anchor="middle" {turned}>{escape(y.title)}</text>')
    return parts


def _line(line: Line, x: Axis, y: Axis) -> str:
    finite = [point for point in line.points if math.isfinite(point[1])]
    places = [(_across(x_value, x), _down(y_value, y)) for x_value, y_value in finite]
    path = "L".join(f"{across:.1f} {down:.1f}" for across, down in places)
    drawn = f'<path class="line c{line.colour} d{line.dashes}" d="M{path}"/>' if path else ""
    dots = [
        f'<circle class="c{line.colour}" cx="{across:.1f}" cy="{down:.1f}" r="3.5"/>'
        for across, down in places
    ]
    return drawn + ("".join(dots) if line.has_dots else "")


def _legend(lines: Sequence[Line]) -> list[str]:
    parts = []
    for i, line in enumerate(lines):
        down, left = TOP + 12 + i * LEGEND_LINE, RIGHT + 16
        sample = f'<path class="line c{line.colour} d{line.dashes}" d="M{left} {down - 4}h28"/>'
        parts.append(sample + _text(left + 36, down, line.name, "start"))
    return parts


def _text(x: float, y: float, words: str, anchor: str, kind: str = "label") -> str:
    where = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text class="{kind}" {where}>{escape(words)}</text>'
