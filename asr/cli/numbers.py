"""Numbers on the command line: read, and refused with the usage."""

import argparse
import math
from collections.abc import Callable
from fractions import Fraction

MAX_NUMBER = 2**31 - 1  # where no option says less; far larger ones overflow somewhere


def add_number(
    parser: argparse._ActionsContainer,
    name: str,
    help_text: str,
    *,
    minimum: int = 1,
    default: int | None = None,
    required: bool = False,
    metavar: str = "N",
) -> None:
    """Declare an option that takes a whole number; --help shows the default, if it is not None."""
    parser.add_argument(
        name,
        type=at_least(minimum),
        default=default,
        required=required,
        metavar=metavar,
        help=help_text if default is None else f"{help_text} (default: {default})",
    )


def at_least(minimum: int, maximum: int = MAX_NUMBER) -> Callable[[str], int]:
    """Make the reader of a whole number, for `type=` of an argument."""

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"expected a whole number, got {text!r}") from None
        if number < minimum:
            raise argparse.ArgumentTypeError(f"expected {minimum} or more, got {number}")
        if number > maximum:
            raise argparse.ArgumentTypeError(f"expected {maximum} or less, got {text[:20]}")
        return number

    return read


def above_zero(limit: float = math.inf) -> Callable[[str], float]:
    """Make the reader of a number between 0 and a limit, both excluded, for `type=`."""

    def read(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not 0 < number < limit:
            allowed = "above 0" if limit == math.inf else f"between 0 and {limit:g}"
            raise argparse.ArgumentTypeError(f"expected a number {allowed}, got {text!r}")
        return number

    return read


def add_percentage(
    parser: argparse.ArgumentParser, name: str, help_text: str, *, default: float
) -> None:
    """Declare an option that takes a percentage, 0 to 100; --help shows the default."""
    parser.add_argument(
        name,
        type=percentage,
        default=default,
        metavar="PERCENT",
        help=f"{help_text} (default: {default:g})",
    )


def percentage(text: str) -> float:
    """Read a percentage, for `type=` of an argument."""
    try:
        number = float(text.removesuffix("%"))
    except ValueError:
        number = math.nan
    if not 0.0 <= number <= 100.0:
        raise argparse.ArgumentTypeError(f"expected a percentage from 0 to 100, got {text!r}")
    return number


def part(percent: float, whole: int) -> Fraction:
    """Compute a percentage of a whole number, as exactly as it was typed.

    Example:
        >>> 100 * (7 / 100) > 7, 7 > part(7.0, 100)
        (True, False)
    """
    return Fraction(repr(percent)) * whole / 100
