"""Markdown: tables, code and numbers, with markup in foreign text escaped."""

import math
import re
import unicodedata
from collections.abc import Sequence

# an underscore inside a word is never markup
_MARKUP = re.compile(r"[\\`*\[\]<>&~|]|(?<![^\W_])_|_(?![^\W_])")
_LINE_ENDS = {"Cc", "Zl", "Zp"}  # Unicode categories: control characters, line and paragraph ends
_TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # of what follows


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], *, n_text: int = 1) -> str:
    """Write a table that is readable as plain text too: cells are padded to their column.

    Args:
        headings: One per column, plain text.
        rows: Cells, as many per row as there are headings, plain text.
        n_text: Columns, from the left, that hold text; the others hold numbers and are aligned to
            the right.

    Example:
        >>> print(table(["set", "WER"], [["dev", "45.12"], ["dev-other", "60.00"]]))
        | set       |   WER |
        |:----------|------:|
        | dev       | 45.12 |
        | dev-other | 60.00 |
    """
    lines = [[escape(cell) for cell in line] for line in [headings, *rows]]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    is_text = [column < n_text for column in range(len(widths))]
    rule = [
        f":{'-' * (width + 1)}" if left else f"{'-' * (width + 1)}:"
        for width, left in zip(widths, is_text, strict=True)
    ]
    padded = [
        [
            f" {cell.ljust(width) if left else cell.rjust(width)} "
            for cell, width, left in zip(line, widths, is_text, strict=True)
        ]
        for line in lines
    ]
    return "\n".join(f"|{'|'.join(cells)}|" for cells in [padded[0], rule, *padded[1:]])


def escape(text: str) -> str:
    r"""Write plain text so that none of it is taken for markup, on one line.

    Example:
        >>> print(escape("<b> a|b snake_case"))
        \<b\> a\|b snake_case
    """
    return _MARKUP.sub(lambda found: f"\\{found[0]}", visible(text))


def visible(text: str) -> str:
    r"""Write control characters, line ends and turns of direction as Python does: `\n`, `\x1b`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(repr(c)[1:-1] if _is_hidden(c) else c for c in text)


def code(text: str) -> str:
    """Mark text as code, with enough backticks around it."""
    fence = "`" * (_longest_backticks(text) + 1)
    space = " " if "`" in text else ""
    return f"{fence}{space}{visible(text)}{space}{fence}"


def block(text: str) -> str:
    """Show lines verbatim, in a fixed width."""
    fence = "`" * max(3, _longest_backticks(text) + 1)
    lines = "\n".join(map(visible, text.split("\n")))
    return f"{fence}text\n{lines}\n{fence}"


def percent(rate: float) -> str:
    """Write a fraction in per cent with two decimals."""
    return f"{100 * rate:.2f}" if math.isfinite(rate) else "∞"


def real_time_factor(factor: float) -> str:
    """Write seconds of computing per second of audio: three decimals, and at least two digits.

    Example:
        >>> real_time_factor(0.05), real_time_factor(0.00036)
        ('0.050', '0.00036')
    """
    decimals = 1 - math.floor(math.log10(factor)) if factor > 0 else 0
    return f"{factor:.{max(3, decimals)}f}"


def duration(seconds: float) -> str:
    """Write a duration in the unit that fits it.

    Example:
        >>> duration(75.0)
        '1.2 minutes'
    """
    if seconds >= 3600:
        return f"{seconds / 3600:.2f} hours"
    if seconds >= 60:
        return f"{seconds / 60:.1f} minutes"
    return f"{seconds:.1f} seconds"


def count(number: int) -> str:
    """Write a count with separators between thousands."""
    return f"{number:,}"


def _is_hidden(character: str) -> bool:
    return unicodedata.category(character) in _LINE_ENDS or character in _TURNS


def _longest_backticks(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)
