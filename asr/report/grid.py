"""Grid: the WER at every pair of two weights, as a table to print and as a picture."""

from collections.abc import Mapping
from html import escape

from asr.text.markdown import visible

Grid = Mapping[tuple[float, float], float]  # (lm_weight, word_score): WER, a fraction

_CELL_WIDTH, _CELL_HEIGHT, _MARGIN = 84, 40, 110  # pixels


def best_point(grid: Grid) -> tuple[float, float]:
    """Find the weights with the lowest WER, the first of equals."""
    return min(grid, key=lambda point: grid[point])


def table(grid: Grid) -> str:
    """Write the WER in per cent, a row per word_score and a column per lm_weight; * is the best."""
    weights, scores = _axes(grid)
    lines = ["word_score \\ lm_weight" + "".join(f"{weight:>9g}" for weight in weights)]
    for word_score in scores:
        cells = "".join(f"{_cell(grid, (weight, word_score)):>9}" for weight in weights)
        lines.append(f"{word_score:>22g}{cells}")
    return "\n".join(lines) + "\n"


def svg(grid: Grid, title: str) -> str:
    """Draw the grid as coloured cells, darker where the WER is lower."""
    weights, scores = _axes(grid)
    lowest, highest = min(grid.values()), max(grid.values())
    width = _MARGIN + _CELL_WIDTH * len(weights) + 20
    height = _MARGIN + _CELL_HEIGHT * len(scores)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        'font-family="sans-serif" font-size="13">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        f'<text x="12" y="24" font-size="15">{escape(visible(title), quote=False)}</text>',
        f'<text x="{_MARGIN}" y="52">lm_weight</text>',
        '<text x="12" y="78">word_score</text>',
    ]
    for column, weight in enumerate(weights):
        x = _MARGIN + _CELL_WIDTH * (column + 0.5)
        parts.append(f'<text x="{x:g}" y="78" text-anchor="middle">{weight:g}</text>')
    for row, word_score in enumerate(scores):
        y = 90 + _CELL_HEIGHT * row
        parts.append(f'<text x="12" y="{y + 25}">{word_score:g}</text>')
        for column, weight in enumerate(weights):
            wer = grid[weight, word_score]
            light = 40 + 55 * (wer - lowest) / (highest - lowest) if highest > lowest else 60.0
            x = _MARGIN + _CELL_WIDTH * column
            parts.append(
                f'<rect x="{x}" y="{y}" width="{_CELL_WIDTH - 2}" height="{_CELL_HEIGHT - 2}" '
                f'fill="hsl(215,60%,{light:.0f}%)"/><text x="{x + _CELL_WIDTH // 2}" y="{y + 25}" '
                f'text-anchor="middle" fill="{"white" if light < 62 else "black"}">'
                f"{_cell(grid, (weight, word_score))}</text>"
            )
    return "\n".join([*parts, "</svg>\n"])


def _axes(grid: Grid) -> tuple[list[float], list[float]]:
    return sorted({weight for weight, _ in grid}), sorted({score for _, score in grid})


def _cell(grid: Grid, point: tuple[float, float]) -> str:
    star = "*" if point == best_point(grid) else ""
    return f"{100 * grid[point]:.2f}{star}"
