"""Picture: the word error rate of every score with its interval, as an SVG file for a README."""

import math
from collections.abc import Sequence

from asr.chart.axis import Axis, linear_axis
from asr.chart.frame import hint, text
from asr.chart.style import FILE_STYLE
from asr.report.summary import Summary, by_subset, within
from asr.text.markdown import percent

WIDTH, LEFT, RIGHT = 860, 330, 750  # of the picture, and of the plot in it; pixels
HEADING, ROW, FOOT = 38, 26, 52
LONGEST = 46  # characters of a condition


def results_picture(title: str, summaries: Sequence[Summary]) -> str:
    """Draw a row per score under the name of its subset: a dot at the WER, and its interval.

    Args:
        title: Above the picture.
        summaries: In the order of the rows, at least one.

    Returns:
        The text of an SVG file.
    """
    x = linear_axis("WER %", [0.0, *(end for summary in summaries for end in _ends(summary))])
    parts, top = [text(16, 28, title, "start", "heading")], 40
    for group in by_subset(summaries):
        parts.append(text(16, top + 24, group[0].score_file.subset, "start", "title"))
        top += HEADING
        for summary in group:
            parts.append(_row(summary, top + ROW / 2, x))
            top += ROW
    size = f'width="{WIDTH}" height="{top + FOOT}" viewBox="0 0 {WIDTH} {top + FOOT}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
            f"<style>\n{FILE_STYLE}</style>",
            f'<rect width="{WIDTH}" height="{top + FOOT}" fill="#fff"/>',
            *_grid(x, top),
            *parts,
            "</svg>\n",
        ]
    )


def _ends(summary: Summary) -> list[float]:
    interval = summary.intervals["wer"]
    ends = [summary.total.wer, *((interval.low, interval.high) if interval else ())]
    return [100 * end for end in ends]


def _grid(x: Axis, bottom: float) -> list[str]:
    parts = []
    for value, name in x.ticks:
        parts.append(f'<path class="grid" d="M{_across(value, x):.1f} 44V{bottom}"/>')
        parts.append(text(_across(value, x), bottom + 18, name, "middle"))
    return [*parts, text((LEFT + RIGHT) / 2, bottom + 42, x.title, "middle", "title")]


def _row(summary: Summary, down: float, x: Axis) -> str:
    condition = summary.score_file.condition
    told = f"{percent(summary.total.wer)} ({within(summary.intervals['wer'])})"
    parts = [
        hint(f"{condition}: WER {told} %"),
        text(LEFT - 12, down + 4, condition[:LONGEST] + "…" * (len(condition) > LONGEST), "end"),
        text(RIGHT + 14, down + 4, percent(summary.total.wer), "start"),
    ]
    value, *interval = (_across(end, x) for end in _ends(summary))
    if interval:
        low, high = interval
        parts.append(f'<path class="whisker" d="M{low:.1f} {down:.1f}H{high:.1f}"/>')
    if math.isfinite(value):  # words were inserted where there are none
        parts.append(f'<circle class="dot" cx="{value:.1f}" cy="{down:.1f}" r="4"/>')
    return f"<g>{''.join(parts)}</g>"


def _across(value: float, x: Axis) -> float:
    return LEFT + x.share(value) * (RIGHT - LEFT)
