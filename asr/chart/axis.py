"""Axis: a scale of a chart, with ticks at round numbers or powers of ten."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

MAX_TICKS = 8
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True, slots=True)
class Axis:
    """A scale between two ends, with labelled ticks."""

    title: str
    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]

    def share(self, value: float) -> float:
        """Compute how far along the axis a value lies, 0 to 1."""
        return (value - self.low) / (self.high - self.low)


def named_axis(title: str, names: Sequence[str]) -> Axis:
    """Make an axis of named cases at 0, 1, 2, ..., with half a step at both ends."""
    return Axis(title, -0.5, len(names) - 0.5, tuple((float(i), n) for i, n in enumerate(names)))


def linear_axis(title: str, values: Iterable[float], *, least_step: float = 0.0) -> Axis:
    """Make an axis with ticks at round numbers that covers all finite values.

    Args:
        title: What the numbers are.
        values: All that the axis must show.
        least_step: From tick to tick, as 1 for what is counted.
    """
    finite = [value for value in values if math.isfinite(value)]
    low, high = min(finite), max(finite)
    step = max(_round_step((high - low) or 1.0), least_step)
    first, last = math.floor(low / step), math.ceil(high / step)
    last = max(last, first + 1)
    ticks = tuple((i * step, _number(i * step)) for i in range(first, last + 1))
    return Axis(title, first * step, last * step, ticks)


def decade_axis(title: str, exponents: Iterable[float], *, floor: int) -> Axis:
    """Make an axis of powers of ten for decimal logarithms, cut off below `floor`."""
    finite = [value for value in exponents if math.isfinite(value)]
    low = max(floor, math.floor(min(finite)))
    high = max(low + 1, math.ceil(max(finite)))
    step = max(1, math.ceil((high - low) / MAX_TICKS))
    ticks = tuple((i, power_of_ten(i)) for i in range(high, low - 1, -step))
    return Axis(title, low, high, ticks)


def power_of_ten(exponent: int) -> str:
    """Write a power of ten.

    Example:
        >>> power_of_ten(-12)
        '10⁻¹²'
    """
    return f"10{str(exponent).translate(SUPERSCRIPTS)}"


def _round_step(span: float) -> float:
    """Choose 1, 2 or 5 times a power of ten so that at most MAX_TICKS steps fill the span."""
    power = 10.0 ** math.floor(math.log10(span / MAX_TICKS))
    return next(m * power for m in (1, 2, 5, 10, 20) if span / (m * power) <= MAX_TICKS)


def _number(value: float) -> str:
    return f"{value:.10g}".replace("-", "−")
