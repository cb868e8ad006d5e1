"""Grid: the WER by the weights of a search, as a table to print and as a picture."""

from collections.abc import Mapping
from html import escape
from typing import NamedTuple

from asr.text.markdown import visible

_CELL_WIDTH, _CELL_HEIGHT, _MARGIN, _LABEL_WIDTH = 84, 40, 200, 96  # pixels
_LABELS = ("word_score", "prior_weight")


class Point(NamedTuple):
    """Weights of a search, see `BeamConfig`."""

    lm_weight: float
    word_score: float
    prior_weight: float


Grid = Mapping[Point, float]  # the WER, a fraction


def best_point(grid: Grid) -> Point:
    """Find the weights with the lowest WER, the first of equals."""
    return min(grid, key=lambda point: grid[point])


def table(grid: Grid) -> str:
    """Write the WER in per cent, a column per lm_weight, a row for the others; * is the best."""
    weights, rows = _axes(grid)
    head = "  ".join(_LABELS) + " \\ lm_weight"
    lines = [head + "".join(f"{weight:>9g}" for weight in weights)]
    for row in rows:
        label = f"{row[0]:>{len(_LABELS[0])}g}{row[1]:>{len(_LABELS[1]) + 2}g}"
        cells = "".join(f"{_cell(grid, Point(weight, *row)):>9}" for weight in weights)
        lines.append(f"{label:<{len(head)}}{cells}")
    return "\n".join(lines) + "\n"


def svg(grid: Grid, title: str) -> str:
    """Draw the grid as coloured cells, darker where the WER is lower."""
    weights, rows = _axes(grid)
    lowest, highest = min(grid.values()), max(grid.values())
    width = _MARGIN + _CELL_WIDTH * len(weights) + 20
    height = 100 + _CELL_HEIGHT * len(rows)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        'font-family="sans-serif" font-size="13">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        f'<text x="12" y="24" font-size="15">{escape(visible(title), quote=False)}</text>',
        f'<text x="{_MARGIN}" y="52">lm_weight</text>',
    ]
    for i, name in enumerate(_LABELS):
        parts.append(f'<text x="{12 + _LABEL_WIDTH * i}" y="78">{name}</text>')
    for column, weight in enumerate(weights):
        x = _MARGIN + _CELL_WIDTH * (column + 0.5)
        parts.append(f'<text x="{x:g}" y="78" text-anchor="middle">{weight:g}</text>')
    for number, row in enumerate(rows):
        y = 90 + _CELL_HEIGHT * number
        for i, value in enumerate(row):
            parts.append(f'<text x="{12 + _LABEL_WIDTH * i}" y="{y + 25}">{value:g}</text>')
        for column, weight in enumerate(weights):
            point = Point(weight, *row)
            wer = grid[point]
            light = 40 + 55 * (wer - lowest) / (highest - lowest) if highest > lowest else 60.0
            x = _MARGIN + _CELL_WIDTH * column
            parts.append(
                f'<rect x="{x}" y="{y}" width="{_CELL_WIDTH - 2}" height="{_CELL_HEIGHT - 2}" '
                f'fill="hsl(215,60%,{light:.0f}%)"/><text x="{x + _CELL_WIDTH // 2}" y="{y + 25}" '
                f'text-anchor="middle" fill="{"white" if light < 62 else "black"}">'
                f"{_cell(grid, point)}</text>"
            )
    return "\n".join([*parts, "</svg>\n"])


def _axes(grid: Grid) -> tuple[list[float], list[tuple[float, float]]]:
    """List the columns, and the rows: word_score and prior_weight."""
    return sorted({point.lm_weight for point in grid}), sorted({point[1:] for point in grid})


def _cell(grid: Grid, point: Point) -> str:
    star = "*" if point == best_point(grid) else ""
    return f"{100 * grid[point]:.2f}{star}"
