"""Numbers on the command line: read and refused with the usage, or shown in fitting units."""

import argparse
from collections.abc import Callable


def at_least(minimum: int) -> Callable[[str], int]:
    """Make the reader of a whole number, for `type=` of an argument."""

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"expected a whole number, got {text!r}") from None
        if number < minimum:
            raise argparse.ArgumentTypeError(f"expected {minimum} or more, got {number}")
        return number

    return read


def duration(seconds: float) -> str:
    """Write a duration in the unit that fits it.

    Example:
        >>> duration(75.0)
        '1.2 minutes'
    """
    for n_seconds, unit in ((3600.0, "hours"), (60.0, "minutes")):
        if seconds >= n_seconds:
            return f"{seconds / n_seconds:.{2 if unit == 'hours' else 1}f} {unit}"
    return f"{seconds:.1f} seconds"
