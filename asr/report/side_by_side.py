"""Show an alignment: the reference above the hypothesis, word below word."""

from collections.abc import Iterator, Sequence

from asr.wer.alignment import Edit, EditKind, align_words

WIDTH = 88  # columns of words, so that a line with its heading fits a page

Column = tuple[str, str, str]  # reference word, hypothesis word, mark: equally wide

_MARKS = {
    EditKind.HIT: "",
    EditKind.SUBSTITUTION: "S",
    EditKind.DELETION: "D",
    EditKind.INSERTION: "I",
}


def side_by_side(reference: str, hypothesis: str, *, width: int = WIDTH) -> str:
    """Write two texts one above the other, with a mark below each error.

    `S` marks a substitution, `D` a deletion, `I` an insertion; stars stand where one text has no
    word. Long texts are broken into several blocks.

    Args:
        reference: What was said.
        hypothesis: What was recognised.
        width: Columns that the words of a line may take; a longer word has its line alone.

    Returns:
        Blocks of three lines, `REF`, `HYP` and the marks, with an empty line between blocks. Two
        empty texts give one block without words.

    Example:
        >>> print(side_by_side("THE CAT SAT", "THE HAT SAT DOWN"))
        REF  THE CAT SAT ****
        HYP  THE HAT SAT DOWN
                 S       I
    """
    columns = [_column(edit) for edit in align_words(reference, hypothesis)]
    return "\n\n".join(_block(block) for block in _blocks(columns, width))


def _column(edit: Edit) -> Column:
    """Write one step as three cells of equal width: reference, hypothesis, mark."""
    width = max(len(edit.reference), len(edit.hypothesis))
    cells = (edit.reference or "*" * width, edit.hypothesis or "*" * width, _MARKS[edit.kind])
    above, below, mark = (cell.ljust(width) for cell in cells)
    return above, below, mark


def _blocks(columns: Sequence[Column], width: int) -> Iterator[list[Column]]:
    """Cut columns into blocks that are at most `width` wide; at least one, perhaps empty."""
    block: list[Column] = []
    used = 0
    for column in columns:
        if block and used + len(column[0]) > width:
            yield block
            block, used = [], 0
        block.append(column)
        used += len(column[0]) + 1
    yield block


def _block(columns: Sequence[Column]) -> str:
    """Write one block of three lines."""
    return "\n".join(
        f"{heading} {' '.join(column[row] for column in columns)}".rstrip()
        for row, heading in enumerate(("REF ", "HYP ", "    "))
    )
