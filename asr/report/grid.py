"""Surface: the WER over two weights, as a table to print and as a picture."""

from collections.abc import Mapping

Surface = Mapping[tuple[float, float], float]  # (lm_weight, word_score): WER, a fraction

_CELL_WIDTH, _CELL_HEIGHT, _MARGIN = 84, 40, 110  # pixels


def best_point(surface: Surface) -> tuple[float, float]:
    """Find the weights with the lowest WER; of equals the first."""
    return min(surface, key=lambda point: surface[point])


def table(surface: Surface) -> str:
    """Write the WER in per cent, a row a word_score, a column an lm_weight; the best has a star."""
    weights, scores = _axes(surface)
    lines = ["word_score \\ lm_weight" + "".join(f"{weight:>9g}" for weight in weights)]
    for word_score in scores:
        cells = "".join(f"{_cell(surface, (weight, word_score)):>9}" for weight in weights)
        lines.append(f"{word_score:>22g}{cells}")
    return "\n".join(lines) + "\n"


def svg(surface: Surface, title: str) -> str:
    """Draw the surface as coloured cells, the darker the fewer errors."""
    weights, scores = _axes(surface)
    least, most = min(surface.values()), max(surface.values())
    width = _MARGIN + _CELL_WIDTH * len(weights) + 20
    height = _MARGIN + _CELL_HEIGHT * len(scores)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        'font-family="sans-serif" font-size="13">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        f'<text x="12" y="24" font-size="15">{_escape(title)}</text>',
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
            wer = surface[weight, word_score]
            light = 40 + 55 * (wer - least) / (most - least) if most > least else 60.0
            x = _MARGIN + _CELL_WIDTH * column
            parts.append(
                f'<rect x="{x}" y="{y}" width="{_CELL_WIDTH - 2}" height="{_CELL_HEIGHT - 2}" '
                f'fill="hsl(215,60%,{light:.0f}%)"/><text x="{x + _CELL_WIDTH // 2}" y="{y + 25}" '
                f'text-anchor="middle" fill="{"white" if light < 62 else "black"}">'
                f"{_cell(surface, (weight, word_score))}</text>"
            )
    return "\n".join([*parts, "</svg>\n"])


def _axes(surface: Surface) -> tuple[list[float], list[float]]:
    return sorted({weight for weight, _ in surface}), sorted({score for _, score in surface})


def _cell(surface: Surface, point: tuple[float, float]) -> str:
    star = "*" if point == best_point(surface) else ""
    return f"{100 * surface[point]:.2f}{star}"


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
