"""Side by side: an alignment of reference and hypothesis, each word above its counterpart."""

from collections.abc import Iterator, Sequence

from asr.wer.alignment import Edit, EditKind, align_words

WIDTH = 88  # columns of words; a line with its heading then fits a page

Column = tuple[str, str, str]  # reference word, hypothesis word, mark: equally wide


def side_by_side(
    reference: str, hypothesis: str, *, width: int = WIDTH, has_markup: bool = False
) -> str:
    """Write the reference above the hypothesis, with a mark below each error.

    `S` marks a substitution, `D` a deletion, `I` an insertion; stars fill the place of a missing
    word. Long texts are split into several blocks.

    Args:
        reference: The reference text.
        hypothesis: The recognised text.
        width: Most columns of words in a line; a longer word has a line of its own.
        has_markup: As in `align_words`; of alternatives, the chosen one is shown, and an optional
            word that is left out faces a blank.

    Returns:
        Blocks of three lines, `REF`, `HYP` and the marks, separated by empty lines. Two empty
        texts give one block without words.

    Example:
        >>> print(side_by_side("THE CAT SAT", "THE HAT SAT DOWN"))
        REF  THE CAT SAT ****
        HYP  THE HAT SAT DOWN
                 S       I
    """
    columns = [_column(edit) for edit in align_words(reference, hypothesis, has_markup=has_markup)]
    return "\n\n".join(_block(block) for block in _blocks(columns, width))


def _column(edit: Edit) -> Column:
    """Write one step as three cells of equal width: reference, hypothesis, mark."""
    width = max(len(edit.reference), len(edit.hypothesis))
    gap = "" if edit.kind is EditKind.OMISSION else "*" * width
    mark = "" if edit.kind in {EditKind.HIT, EditKind.OMISSION} else edit.kind
    above, below = edit.reference or gap, edit.hypothesis or gap
    return above.ljust(width), below.ljust(width), mark.ljust(width)


def _blocks(columns: Sequence[Column], width: int) -> Iterator[list[Column]]:
    """Split columns into blocks at most `width` wide; at least one, possibly empty."""
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
    return "\n".join(
        f"{heading} {' '.join(column[row] for column in columns)}".rstrip()
        for row, heading in enumerate(("REF ", "HYP ", "    "))
    )
