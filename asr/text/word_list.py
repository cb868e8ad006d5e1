"""Word list: words, one a line, also as Kaldi and OpenFst number their symbols.

In such a table (`words.txt`) each line is a symbol and its number, `HELLO 2`, and some symbols are
no words: `<eps>`, `#0`, `!SIL`.
"""

from collections.abc import Sequence

_APOSTROPHES = "'\u2018\u2019`"  # may begin a word; other marks do so in <unk>, !SIL, [noise], ...


def can_begin_word(letter: str) -> bool:
    """Tell whether a symbol that begins so is a word.

    Example:
        >>> [can_begin_word(symbol[0]) for symbol in ("'TIS", "<eps>", "#0")]
        [True, False, False]
    """
    return letter.isalnum() or letter in _APOSTROPHES


def without_numbers(lines: Sequence[str]) -> Sequence[str]:
    """Return the words of a table of symbols; other lines as they are.

    Example:
        >>> without_numbers(["<eps> 0", "CAT 1", "SAT 2"])
        ['CAT', 'SAT']
        >>> without_numbers(["ROOM 1", "ROOM 2"])
        ['ROOM 1', 'ROOM 2']
    """
    rows = [line.split() for line in lines if line.strip()]
    if not all(len(row) == 2 and row[1].isdecimal() for row in rows):
        return lines
    if sorted(int(number) for _, number in rows) != [*range(len(rows))]:
        return lines
    return [symbol for symbol, _ in rows if can_begin_word(symbol[0])]
