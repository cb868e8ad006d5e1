"""Curve: the norm of a gradient by distance, and figures that sum it up."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Curve:
    """How much an output frame depends on the input at each distance.

    Attributes:
        frame_shift: Seconds from one distance to the next.
        past: Norms at 0, 1, 2, ... frames before the output frame, relative to that at 0.
        future: The same after it; `past[0]` and `future[0]` are 1.
    """

    frame_shift: float
    past: tuple[float, ...]
    future: tuple[float, ...]

    @property
    def points(self) -> tuple[tuple[float, float], ...]:
        """Pairs of seconds (negative in the past) and norm, in order of time."""
        norms = (*reversed(self.past), *self.future[1:])
        first = 1 - len(self.past)
        return tuple(((first + i) * self.frame_shift, norm) for i, norm in enumerate(norms))

    @property
    def half(self) -> float:
        """Seconds to either side within which at least half of the summed norms lie."""
        n = max(len(self.past), len(self.future))
        sums = [math.fsum([*self.past[: i + 1], *self.future[1 : i + 1]]) for i in range(n)]
        return next(i for i, s in enumerate(sums) if 2.0 * s >= sums[-1]) * self.frame_shift

    def reach(self, level: float) -> tuple[float, float]:
        """Seconds to the farthest frame in the past, and in the future, whose norm is `level`.

        Example:
            >>> Curve(0.5, past=(1.0, 0.3, 0.02), future=(1.0, 0.0)).reach(0.01)
            (1.0, 0.0)
        """
        past, future = (
            max(i for i, norm in enumerate(norms) if i == 0 or norm >= level)
            for norms in (self.past, self.future)
        )
        return past * self.frame_shift, future * self.frame_shift

    def is_beyond(self, level: float) -> tuple[bool, bool]:
        """Tell whether the curve ends above `level`, in the past and in the future."""
        return (
            len(self.past) > 1 and self.past[-1] >= level,
            len(self.future) > 1 and self.future[-1] >= level,
        )
