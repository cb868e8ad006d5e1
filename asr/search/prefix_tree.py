"""Prefix tree: every prefix that was ever in the beam, a row each.

A prefix is the one before it and one more token; its number is its row. What a prefix is worth
beside the emission depends on nothing but the prefix, so it is worked out once, when the prefix is
new, and not frame by frame.

A row has these fields:

    parent          the prefix without its last token; none for the root
    token           the last token; the blank for the root
    first_child     one of the prefixes that are one token longer, or none
    next_sibling    another one of the parent's, or none
    place           where in the beam the prefix is now, or none
    spelled         node of the lexicon: what the last word is spelled by so far
    ended           place in the lexicon of the word that ended before the last token; `UNLISTED`
                    for one that is not there, none where the token ended no word
    context         node of the language model: the whole words before
    phrase          state of the hotwords
    factor          by how much the last token changed the score beside its emission
    outlook         how much the unfinished word and phrase can become, as a factor
    ending          factor for ending the last word here; NaN while nobody has asked
    context_behind  context behind that word, once `ending` is known
    new_number      while rows are cleared out
"""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from asr.compiled import compiled

ROOT = 0  # the empty prefix
NONE = -1  # no prefix, no word, no place in the beam
UNLISTED = -2  # a word that is not in the lexicon

Rows: TypeAlias = "np.recarray[Any, Any]"  # flat, of records
Numbers = NDArray[np.int64]

_NUMBERS = (
    *("parent", "token", "first_child", "next_sibling", "place", "spelled", "ended"),
    *("context", "phrase", "context_behind", "new_number"),
)
_FACTORS = ("factor", "outlook", "ending")
ROW = np.dtype([*((n, np.int64) for n in _NUMBERS), *((n, np.float64) for n in _FACTORS)])


def make_tree(capacity: int, *, blank: int, context: int, phrase: int) -> Rows:
    """Make room for `capacity` prefixes; the root is there, at place 0 of the beam."""
    tree = np.recarray(capacity, ROW)
    root = (NONE, blank, NONE, NONE, 0, 0, NONE, context, phrase, context, NONE, 1.0, 1.0, np.nan)
    tree[ROOT] = root
    return tree


@compiled
def add_prefix(tree: Rows, parent: int, number: int) -> None:
    """Make a row for a prefix that is one token longer than another one."""
    row = tree[number]
    row.parent = parent
    row.first_child = NONE
    row.next_sibling = tree[parent].first_child
    tree[parent].first_child = number


@compiled
def find_prefix(tree: Rows, parent: int, token: int, spelled: int) -> int:
    """Find the prefix that is one token longer than another one; none if it has no row."""
    child: int = tree[parent].first_child
    while child != NONE and (tree[child].token != token or tree[child].spelled != spelled):
        child = tree[child].next_sibling
    return child


@compiled
def clear_out(tree: Rows, n_rows: int, beam: Rows, n_places: int) -> int:
    """Drop the rows that nothing in the beam goes back to.

    Args:
        tree: The tree.
        n_rows: Rows in use.
        beam: The beam, whose prefixes get the numbers that they have from now on.
        n_places: Places in use.

    Returns:
        Rows in use from now on.
    """
    for prefix in range(n_rows):
        tree[prefix].new_number = NONE
    for place in range(n_places):
        prefix = beam[place].prefix
        while prefix != NONE and tree[prefix].new_number == NONE:
            tree[prefix].new_number = 0
            prefix = tree[prefix].parent
    n_kept = 0
    for prefix in range(n_rows):  # parents have lower numbers than children
        if tree[prefix].new_number != NONE:
            parent, tree[prefix].new_number = tree[prefix].parent, n_kept
            new_number = tree[n_kept].new_number  # of the row that was there, which others look up
            tree[n_kept] = tree[prefix]
            tree[n_kept].new_number, tree[n_kept].first_child = new_number, NONE
            if parent != NONE:
                add_prefix(tree, tree[parent].new_number, n_kept)
            n_kept += 1
    for place in range(n_places):
        beam[place].prefix = tree[beam[place].prefix].new_number
    return n_kept


@compiled
def n_tokens(tree: Rows, prefix: int) -> int:
    """Count the tokens of a prefix."""
    n = 0
    while tree[prefix].parent != NONE:
        prefix = tree[prefix].parent
        n += 1
    return n


@compiled
def trace(tree: Rows, prefix: int, tokens: Numbers, ended: Numbers) -> float:
    """Write a prefix's tokens, and what word ended before each; sum the logs of its factors."""
    log_factor = 0.0
    for i in range(len(tokens) - 1, -1, -1):
        row = tree[prefix]
        tokens[i], ended[i] = row.token, row.ended
        log_factor += np.log(row.factor)
        prefix = row.parent
    return log_factor
