"""Matrix: counts of pairs as cells, the darker the more frequent."""

import math
import unicodedata
from collections.abc import Mapping, Sequence

from asr.chart.frame import Frame, hint, text

CELL, TITLE, GAP, EDGE = 17, 22, 8, 6  # units of the picture
LETTER, WIDE_LETTER = 7.4, 11.5  # of a name
LONGEST = 14  # letters of a name that are shown


def matrix_chart(
    title: str,
    counts: Mapping[tuple[str, str], int],
    names: Sequence[str],
    titles: tuple[str, str],
) -> str:
    """Draw counts as an `<svg>` element.

    Args:
        title: A description for people who cannot see it.
        counts: By row and column; others have none.
        names: Of the rows from top to bottom, and of the columns from left to right.
        titles: What the rows are, and what the columns are.
    """
    start = TITLE + GAP + _longest(names)  # the picture is as high as it is wide
    end = start + CELL * len(names)
    frame = Frame(end + EDGE, end + EDGE, start, end, start, end)
    most = max(counts.values(), default=1)
    parts = [frame.opening(title), _lines(frame)]
    labels = [(start + CELL * (i + 0.5), _short(name)) for i, name in enumerate(names)]
    parts += [text(start - GAP, y + 4, name, "end", "name") for y, name in labels]
    if all(len(name) == 1 for name in names):
        parts += [text(x, start - GAP, name, "middle", "name") for x, name in labels]
    else:
        parts += [_turned(x + 4, start - GAP, name) for x, name in labels]
    for i, row in enumerate(names):
        for j, column in enumerate(names):
            if n := counts.get((row, column), 0):
                x, y = start + CELL * j, start + CELL * i
                place = f'x="{x}" y="{y}" width="{CELL}" height="{CELL}"'
                share = f'fill-opacity="{0.08 + 0.92 * math.sqrt(n / most):.2f}"'
                told = hint(f"{row} → {column}: {n:,}")
                parts.append(f'<rect class="full" {place} {share}>{told}</rect>')
    parts.append(text((start + end) / 2, 14, titles[1], "middle", "title"))
    parts.append(_turned(13, (start + end) / 2, titles[0], "middle", "title"))
    return "\n".join([*parts, "</svg>"])


def _lines(frame: Frame) -> str:
    """Draw the lines between cells as one path: a page has few elements then."""
    down = [f"M{x} {frame.top}V{frame.bottom}" for x in range(frame.left, frame.right + 1, CELL)]
    across = [f"M{frame.left} {y}H{frame.right}" for y in range(frame.top, frame.bottom + 1, CELL)]
    return f'<path class="grid cells" d="{"".join([*down, *across])}"/>'


def _turned(x: float, y: float, words: str, anchor: str = "start", kind: str = "name") -> str:
    """Write words upwards."""
    turned = f'transform="translate({x:.1f} {y:.1f}) rotate(-90)"'
    return f"<g {turned}>{text(0, 0, words, anchor, kind)}</g>"


def _short(name: str) -> str:
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"


def _longest(names: Sequence[str]) -> int:
    """Estimate how much room the longest name takes."""
    return math.ceil(max((sum(map(_width, _short(name))) for name in names), default=0.0))


def _width(letter: str) -> float:
    return WIDE_LETTER if unicodedata.east_asian_width(letter) in {"W", "F"} else LETTER
