"""Network: the words of a text, as flat arrays, with the alternatives that it allows.

Texts of NIST's formats may branch: `{ a b / c / @ }` is any of its alternatives, `@` none of them,
and `(uh)` a word that may be missing. Scoring keeps such a text as a line of these marks, with a
space around each.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, chain

import numpy as np
from numpy.typing import NDArray

from asr.errors import DataError
from asr.wer.trellis import END, MAX_BRANCHES, NULL, OPTIONAL, WORD, Nodes

NOTHING = "@"
_MARKS = re.compile(r"([{}]|(?<!\S)\([^\s()]+\)(?!\S)|(?<!\S)@(?!\S))")
_MARKS_INSIDE = re.compile(r"([/])")


def normalise_markup(text: str, normalise: Callable[[str], str]) -> str:
    """Normalise the words of a text and write its marks with a space around each.

    Raises:
        DataError: A brace has no counterpart.

    Example:
        >>> normalise_markup("{i'm/i am} (uh) fine", str.upper)
        "{ I'M / I AM } (UH) FINE"
    """
    tokens: list[str] = []
    for mark in _marks(text):
        if mark in "{}/@":
            tokens.append(mark)
        elif _is_optional(mark):
            tokens += [f"({word})" for word in normalise(mark[1:-1]).split()]
        else:
            tokens.append(normalise(mark))
    return " ".join(" ".join(tokens).split())


def word_nodes(texts: Sequence[str], ids: dict[str, int]) -> Nodes:
    """List the words of texts without markup; one that `ids` lacks gets the next number, from 1."""
    words = [text.split() for text in texts]
    lengths = np.fromiter(map(len, words), np.int64, len(words))
    starts = np.concatenate([[0], np.cumsum(lengths + 1)])
    numbers = np.zeros(starts[-1], np.int32)
    is_word = np.ones(starts[-1], bool)
    is_word[starts[1:] - 1] = False
    flat = chain.from_iterable(words)
    numbers[is_word] = [ids.setdefault(word, len(ids) + 1) for word in flat]
    return _chains(numbers, starts)


def branching_nodes(text: str, ids: dict[str, int]) -> tuple[Nodes, list[str]]:
    """List the nodes of a normalised text with markup, and the word of each."""
    words, kinds, predecessors = map(list, zip(*_nodes(text), strict=True))
    nodes = Nodes(
        np.array([ids.setdefault(word, len(ids) + 1) for word in words], np.int32),
        np.array(kinds, np.int8),
        np.array([0, len(words)], np.int64),
        np.array([0, *accumulate(map(len, predecessors))], np.int64),
        np.array([*chain(*predecessors)], np.int32),
    )
    return nodes, words


def character_nodes(texts: Sequence[str]) -> Nodes:
    """List the characters of texts, white space between two words as one."""
    lines = [" ".join(text.split()) for text in texts]
    starts = np.concatenate([[0], np.cumsum([len(line) + 1 for line in lines])])
    everything = "".join(f"{line}\n" for line in lines).encode("utf-32-le", "surrogatepass")
    return _chains(np.frombuffer(everything, np.int32).copy(), starts)


def _chains(ids: NDArray[np.int32], starts: NDArray[np.int64]) -> Nodes:
    """Let each node follow the one before it."""
    kinds = np.full(len(ids), WORD, np.int8)
    kinds[starts[1:] - 1] = END
    positions = np.arange(len(ids)) - np.repeat(starts[:-1], np.diff(starts))
    return Nodes(ids, kinds, starts, np.arange(len(ids) + 1), positions.astype(np.int32))


def _nodes(text: str) -> Iterator[tuple[str, int, list[int]]]:
    """List the nodes of a normalised text: word, kind, and predecessors, counted from 1."""
    n_nodes, ends = 0, [0]
    opened: list[tuple[list[int], list[int]]] = []  # the ends before a brace, those inside so far
    for token in text.split():
        if token == "{":
            opened.append((ends, []))
        elif opened and token in "/}":
            before, inside = opened[-1]
            inside += [end for end in ends if end not in inside]
            ends = before
            if token == "}":
                ends = opened.pop()[1]
                if len(ends) > MAX_BRANCHES:
                    raise DataError(f"expected at most {MAX_BRANCHES} alternatives in {text!r}")
        else:
            n_nodes += 1
            kind = NULL if token == NOTHING else OPTIONAL if _is_optional(token) else WORD
            yield token[1:-1] if kind == OPTIONAL else token, kind, ends
            ends = [n_nodes]
    yield "", END, ends


def _is_optional(token: str) -> bool:
    return len(token) > 2 and token[0] == "(" and token[-1] == ")"


def _marks(text: str) -> Iterator[str]:
    """Split a text at its marks; `/` is one between braces only."""
    depth = 0
    for part in _MARKS.split(text):
        depth += (part == "{") - (part == "}")
        if depth < 0:
            break
        yield from _MARKS_INSIDE.split(part) if depth else [part]
    if depth:
        raise DataError(f"expected as many {{ as }} in {text!r}; write alternatives as {{ a / b }}")
