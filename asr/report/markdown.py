"""The pieces of Markdown that a report is made of."""

import math
from collections.abc import Sequence


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], *, n_text: int = 1) -> str:
    """Write a table that can be read as plain text too: cells are padded to their column.

    Args:
        headings: One a column.
        rows: Cells, as many a row as there are headings; a `|` in them is escaped.
        n_text: How many columns, from the left, hold text; the others hold numbers and are
            aligned to the right.

    Example:
        >>> print(table(["set", "WER"], [["dev", "45.12"], ["dev-other", "60.00"]]))
        | set       |   WER |
        |:----------|------:|
        | dev       | 45.12 |
        | dev-other | 60.00 |
    """
    lines = [[cell.replace("|", r"\|") for cell in line] for line in [headings, *rows]]
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


def code(text: str) -> str:
    """Mark text as code; text that holds backticks gets two around it."""
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def block(text: str) -> str:
    """Set lines apart as they are, in a fixed width."""
    return f"```text\n{text}\n```"


def percent(rate: float) -> str:
    """Write a fraction in per cent, with the two decimals that the field prints."""
    return f"{100 * rate:.2f}" if math.isfinite(rate) else "∞"


def count(number: int) -> str:
    """Write a count with its thousands set apart."""
    return f"{number:,}"
