"""Estimates: measured values with their intervals, each over a stretch of the horizontal axis."""

from collections.abc import Sequence
from dataclasses import dataclass

from asr.chart.axis import Axis
from asr.chart.frame import Frame, hint

FRAME = Frame(width=420, height=264, left=56, right=400, top=12, bottom=212)
MIN_TARGET = 8.0  # units of the picture: narrower, and a pointer would miss it


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value measured over a stretch of the horizontal axis.

    Attributes:
        low: Where the stretch begins.
        high: Where it ends; may be equal.
        value: The estimate.
        interval: Where the true value probably is; None if unknown.
        hint: What is shown while the pointer rests on it.
    """

    low: float
    high: float
    value: float
    interval: tuple[float, float] | None
    hint: str


def estimates_chart(
    title: str,
    estimates: Sequence[Estimate],
    x: Axis,
    y: Axis,
    *,
    expected: Sequence[tuple[float, float]] = (),
) -> str:
    """Draw estimates as dots with whiskers, as an `<svg>` element.

    Args:
        title: A description for people who cannot see it.
        estimates: In the axes' units.
        x: The horizontal axis.
        y: The vertical axis.
        expected: Points of a dashed line to compare with, as the mean of all.
    """
    places = [(FRAME.across(a, x), FRAME.down(b, y)) for a, b in expected]
    line = "L".join(f"{across:.1f} {down:.1f}" for across, down in places)
    return "\n".join(
        [
            FRAME.opening(title),
            *FRAME.grid(x, y),
            *([f'<path class="line expected" d="M{line}"/>'] if line else []),
            *[_estimate(estimate, x, y) for estimate in estimates],
            "</svg>",
        ]
    )


def _estimate(estimate: Estimate, x: Axis, y: Axis) -> str:
    left, right = FRAME.across(estimate.low, x), FRAME.across(estimate.high, x)
    centre, down = (left + right) / 2, FRAME.down(estimate.value, y)
    width = max(right - left, MIN_TARGET)
    parts = [
        hint(estimate.hint),
        f'<rect class="target" x="{centre - width / 2:.1f}" y="{FRAME.top}" width="{width:.1f}" '
        f'height="{FRAME.bottom - FRAME.top}"/>',
    ]
    if right > left:
        parts.append(f'<path class="stretch" d="M{left:.1f} {down:.1f}H{right:.1f}"/>')
    if estimate.interval:
        low, high = (FRAME.down(end, y) for end in estimate.interval)
        parts.append(f'<path class="whisker" d="M{centre:.1f} {low:.1f}V{high:.1f}"/>')
    parts.append(f'<circle class="dot" cx="{centre:.1f}" cy="{down:.1f}" r="3.2"/>')
    return f'<g class="estimate">{"".join(parts)}</g>'
