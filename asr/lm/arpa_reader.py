r"""ARPA reader: text by any tool becomes a model, or an error that names the line.

Tools differ in ways that do not matter: fields are separated by tabs or spaces; there are empty
lines; `<UNK>` is `<unk>`; a missing back-off weight is one; contexts and suffixes that were pruned
are filled in (see `assembly`). What is impossible (-inf, or a word outside without `<unk>`) has
probability 1e-100, so that the score of a text stays a number.
"""

import re
from collections import defaultdict
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from asr.errors import DataError
from asr.lm.arpa import LN_10
from asr.lm.assembly import Table, assemble
from asr.lm.ngram import NGram
from asr.lm.segments import unpacked
from asr.lm.vocabulary import END, OTHER_UNKNOWN, START, UNKNOWN, Vocabulary

LEAST_LOG10 = -100.0

_CHUNK = 100_000  # lines read at a time
_COUNT = re.compile(rb"ngram\s+(\d+)\s*=\s*(\d+)")

Ids = dict[bytes, int]


def read_arpa(path: Path) -> NGram:
    """Read a model from text, plain or compressed.

    Raises:
        DataError: The file cannot be read, or a line (named, as file:line) is not as it must be,
            or `<s>` or `</s>` is missing, or an n-gram is there twice.
    """
    with unpacked(path) as file:
        lines = _Lines(path, file)
        counts = _read_counts(lines)
        vocabulary, ids, words = _read_words(lines, counts[0])
        tables = [words]
        for order, n in enumerate(counts[1:], 2):
            lines.expect(b"\\%d-grams:" % order)
            tables.append(_read_lines(lines, order, n, ids))
        lines.expect(b"\\end\\")
    if np.any(tables[-1].backoffs):  # of contexts for a longer order, which is empty
        tables.append(Table.empty(len(tables) + 1))
    try:
        levels, tables = assemble(tables)
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    return NGram.from_levels(
        vocabulary,
        levels,
        [table.log_probs for table in tables],
        [table.backoffs for table in tables[:-1]],
    )


class _Lines:
    """The lines of a file, counted."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path = path
        self._file = file
        self.number = 0  # of the last line taken
        self._blank: list[int] = []  # lines among those that were taken

    def take(self, n: int) -> list[bytes]:
        """Take n lines that are not blank, or what there is."""
        lines: list[bytes] = []
        while len(lines) < n and (taken := list(islice(self._file, n - len(lines)))):
            filled = [line for line in taken if not line.isspace()]
            if len(filled) < len(taken):
                numbered = enumerate(taken, self.number + 1)
                self._blank += [number for number, line in numbered if line.isspace()]
            self.number += len(taken)
            lines += filled
        return lines

    def number_of(self, first: int, nth: int) -> int:
        """Number the nth line, from 0 on, of those from line `first` on that are not blank."""
        for blank in self._blank:
            if first <= blank <= first + nth:
                nth += 1
        return first + nth

    def next(self) -> bytes:
        """Take the next line that is not blank, without space around it; b"" at the end."""
        return b"".join(self.take(1)).strip()

    def expect(self, expected: bytes) -> None:
        """Take a line that must be there."""
        if (line := self.next()) != expected:
            raise self.error(f"expected {expected.decode()}", line)

    def error(self, expected: str, line: bytes, number: int | None = None) -> DataError:
        """Say what is wrong with a line, by default the last one."""
        found = repr(line.decode(errors="backslashreplace").strip()) if line else "the end"
        return DataError(f"{self._path}:{number or self.number}: {expected}, got {found}")


def _read_counts(lines: _Lines) -> list[int]:
    r"""Read, from \data\ on, how many n-grams of each order follow."""
    while (line := lines.next()) != b"\\data\\":
        if not line:
            raise lines.error("expected an n-gram model, with \\data\\", line)
    counts: list[int] = []
    while match := _COUNT.fullmatch(line := lines.next()):
        order, n = map(int, match.groups())
        if order != len(counts) + 1:
            raise lines.error(f"expected the number of {len(counts) + 1}-grams", line)
        counts.append(n)
    if not counts or line != b"\\1-grams:":
        raise lines.error("expected ngram 1=... and so on, and then \\1-grams:", line)
    return counts


def _read_words(lines: _Lines, n: int) -> tuple[Vocabulary, Ids, Table]:
    """Read the 1-grams: the vocabulary, ids by the bytes of words, and a row for each id."""
    rows: defaultdict[bytes, int] = defaultdict()
    rows.default_factory = rows.__len__  # a new word is numbered like its line
    first = lines.number + 1
    table = _read_lines(lines, 1, n, rows)
    repeated = np.flatnonzero(table.words[:, 0] != np.arange(n))
    if len(repeated):
        word = list(rows)[table.words[repeated[0], 0]]
        raise lines.error("expected each word once", word, lines.number_of(first, int(repeated[0])))
    rows.default_factory = None
    unknown = rows.pop(OTHER_UNKNOWN.encode(), n)  # row n: see below
    rows.setdefault(UNKNOWN.encode(), unknown)
    for word in (START, END):
        if word.encode() not in rows:
            raise lines.error(f"expected {word} among the 1-grams", b"none")
    vocabulary = Vocabulary.of(_decode(lines, word, first, row) for word, row in rows.items())
    order = [rows[word.encode()] for word in vocabulary.words]
    log_probs = np.append(table.log_probs, np.float32(LEAST_LOG10 * LN_10))[order]
    backoffs = np.append(table.backoffs, np.float32(0.0))[order]
    ids = {word.encode(): i for i, word in enumerate(vocabulary.words)}
    ids.setdefault(OTHER_UNKNOWN.encode(), ids[UNKNOWN.encode()])
    words = np.arange(len(vocabulary), dtype=np.int32)[:, None]
    return vocabulary, ids, Table(words, log_probs, backoffs)


def _decode(lines: _Lines, word: bytes, first: int, nth: int) -> str:
    try:
        return word.decode()
    except UnicodeDecodeError:
        raise lines.error("expected UTF-8 text", word, lines.number_of(first, nth)) from None


def _read_lines(lines: _Lines, order: int, n: int, ids: Ids) -> Table:
    """Read the n-grams of an order, some lines at a time."""
    words = [np.zeros((0, order), np.int32)]
    values = [np.zeros((0, 2), np.float32)]
    for start in range(0, n, _CHUNK):
        first = lines.number + 1
        if not (chunk := lines.take(min(_CHUNK, n - start))):
            break
        try:
            found = _parse(chunk, order, ids)
        except (ValueError, LookupError):
            for i, line in enumerate(chunk):
                _check(lines, line, lines.number_of(first, i), order, n, ids)
            raise
        words.append(found[0])
        values.append(found[1])
    if sum(map(len, words)) < n:
        raise lines.error(f"expected {n} {order}-grams", b"")
    log_probs, backoffs = np.concatenate(values).T
    return Table(np.concatenate(words), log_probs, backoffs)


def _parse(
    chunk: list[bytes], order: int, ids: Ids
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Read word ids (n, order), and natural logs of probability and back-off weight (n, 2)."""
    fields = [line.split() for line in chunk]
    words = [[ids[field[i]] for field in fields] for i in range(1, order + 1)]
    log10s = [
        [float(field[0]) for field in fields],
        [float(field[order + 1]) if len(field) > order + 1 else 0.0 for field in fields],
    ]
    values = LN_10 * np.maximum(np.array(log10s).T, LEAST_LOG10)
    is_valid = (values[:, 0] <= 0).all() and (values < -LN_10 * LEAST_LOG10).all()  # no NaN either
    if not is_valid or max(map(len, fields)) > order + 2:
        raise ValueError
    return np.array(words, np.int32).T, values.astype(np.float32)


def _check(lines: _Lines, line: bytes, number: int, order: int, n: int, ids: Ids) -> None:
    """Say what is wrong with a line, if it is this one."""
    try:
        _parse([line], order, ids)
    except KeyError as missing:
        word = missing.args[0].decode(errors="backslashreplace")
        raise lines.error(f"{word!r} is not among the 1-grams", line, number) from None
    except (ValueError, LookupError):
        words = "a word" if order == 1 else f"{order} words"
        raise lines.error(
            f"expected log10 of a probability, {words}, and perhaps log10 of a back-off weight "
            f"({n} lines of them, as \\data\\ says)",
            line,
            number,
        ) from None
