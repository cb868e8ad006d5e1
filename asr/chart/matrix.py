"""Matrix: counts of pairs as cells, the darker the more frequent."""

import math
from collections.abc import Mapping, Sequence

from asr.chart.frame import Frame, hint, text

CELL, LEFT, TOP, EDGE = 17, 44, 44, 6  # units of the picture


def matrix_chart(
    title: str,
    counts: Mapping[tuple[str, str], int],
    rows: Sequence[str],
    columns: Sequence[str],
    titles: tuple[str, str],
) -> str:
    """Draw counts as an `<svg>` element.

    Args:
        title: A description for people who cannot see it.
        counts: By row and column; others have none.
        rows: From top to bottom.
        columns: From left to right.
        titles: What the rows are, and what the columns are.
    """
    right, bottom = LEFT + CELL * len(columns), TOP + CELL * len(rows)
    frame = Frame(right + EDGE, bottom + EDGE, LEFT, right, TOP, bottom)
    most = max(counts.values(), default=1)
    parts = [frame.opening(title)]
    for i, row in enumerate(rows):
        parts.append(text(LEFT - 8, TOP + CELL * (i + 0.5) + 4, row, "end", "name"))
    for j, column in enumerate(columns):
        parts.append(text(LEFT + CELL * (j + 0.5), TOP - 7, column, "middle", "name"))
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            n = counts.get((row, column), 0)
            place = f'x="{LEFT + CELL * j}" y="{TOP + CELL * i}" width="{CELL}" height="{CELL}"'
            parts.append(f'<rect class="cell" {place}/>')
            if n:
                words = f"{row} → {column}: {n:,}"
                share = f'fill-opacity="{0.08 + 0.92 * math.sqrt(n / most):.2f}"'
                parts.append(f'<rect class="full" {place} {share}>{hint(words)}</rect>')
    parts.append(text((LEFT + right) / 2, 14, titles[1], "middle", "title"))
    turned = f'transform="translate(13 {(TOP + bottom) / 2:.0f}) rotate(-90)"'
    parts.append(f"<g {turned}>{text(0, 0, titles[0], 'middle', 'title')}</g>")
    return "\n".join([*parts, "</svg>"])
