"""Prefix tree: every prefix that was ever in the beam, as one node with all that follows from it.

A prefix is the one before it and one more token; its number is its row in flat arrays. What a
prefix is worth beside the emission depends on nothing but the prefix, so it is worked out once,
when the prefix is new, and not frame by frame.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from asr.search.compiled import compiled

ROOT = 0  # the empty prefix
NONE = -1  # no prefix, no word, no place in the beam
UNLISTED = -2  # a word that is not in the lexicon

Numbers = NDArray[np.int32]
Factors = NDArray[np.float64]


class PrefixTree(NamedTuple):
    """Prefixes by number, each with these attributes, all of shape (capacity,).

    Attributes:
        parent: The prefix without the last token; none for the root.
        token: The last token; the blank for the root.
        first_child: One of the prefixes that are one token longer, or none.
        next_sibling: Another one of the parent's, or none.
        place: Where in the beam the prefix is now, or none.
        spelled: Node of the lexicon: what the last word is spelled by so far.
        ended: Place in the lexicon of the word that ended before the last token; `UNLISTED` for
            one that is not there, none where the token ended no word.
        context: Node of the language model: the whole words before.
        phrase: State of the hotwords.
        factor: By how much the last token changed the score beside its emission, as a factor.
        outlook: How much the unfinished word and phrase can become, as a factor.
        ending: Factor for ending the last word here; NaN while nobody has asked.
        context_behind: Context behind that word; meaningless while `ending` is NaN.
    """

    parent: Numbers
    token: Numbers
    first_child: Numbers
    next_sibling: Numbers
    place: Numbers
    spelled: Numbers
    ended: Numbers
    context: Numbers
    phrase: Numbers
    factor: Factors
    outlook: Factors
    ending: Factors
    context_behind: Numbers


@compiled
def make_tree(capacity: int, blank: int, context: int, phrase: int) -> PrefixTree:
    """Make room for `capacity` prefixes; the root is there, at place 0 of the beam."""
    tree = PrefixTree(
        np.empty(capacity, np.int32),
        np.empty(capacity, np.int32),
        np.empty(capacity, np.int32),
        np.empty(capacity, np.int32),
        np.empty(capacity, np.int32),
        np.empty(capacity, np.int32),
        np.empty(capacity, np.int32),
        np.empty(capacity, np.int32),
        np.empty(capacity, np.int32),
        np.empty(capacity, np.float64),
        np.empty(capacity, np.float64),
        np.empty(capacity, np.float64),
        np.empty(capacity, np.int32),
    )
    tree.parent[ROOT] = NONE
    tree.token[ROOT] = blank
    tree.first_child[ROOT] = NONE
    tree.next_sibling[ROOT] = NONE
    tree.place[ROOT] = 0
    tree.spelled[ROOT] = 0
    tree.ended[ROOT] = NONE
    tree.context[ROOT] = context
    tree.phrase[ROOT] = phrase
    tree.factor[ROOT] = 1.0
    tree.outlook[ROOT] = 1.0
    tree.ending[ROOT] = np.nan
    return tree


@compiled
def find_child(tree: PrefixTree, prefix: int, token: int, spelled: int) -> int:
    """Find the prefix that is one token longer; `NONE` if it was never in the beam."""
    child = tree.first_child[prefix]
    while child != NONE and (tree.token[child] != token or tree.spelled[child] != spelled):
        child = tree.next_sibling[child]
    return child


@compiled
def add_child(tree: PrefixTree, prefix: int, child: int) -> None:
    """Hang a row under its parent."""
    tree.parent[child] = prefix
    tree.first_child[child] = NONE
    tree.next_sibling[child] = tree.first_child[prefix]
    tree.first_child[prefix] = child


@compiled
def make_room(
    tree: PrefixTree, n_prefixes: int, beam: Numbers, n_needed: int
) -> tuple[PrefixTree, int]:
    """Drop the prefixes that nothing in the beam goes back to, and double the tree if they are few.

    Args:
        tree: The tree.
        n_prefixes: Rows in use.
        beam: (K,) prefixes in the beam, which get the numbers that they have from now on.
        n_needed: Rows to have free.

    Returns:
        The tree to go on with, and its rows in use.
    """
    new_number = np.full(n_prefixes, NONE, np.int32)
    for prefix in beam:
        while prefix != NONE and new_number[prefix] == NONE:
            new_number[prefix] = 0
            prefix = tree.parent[prefix]
    n_kept = 0
    for prefix in range(n_prefixes):  # parents have lower numbers than children
        if new_number[prefix] != NONE:
            new_number[prefix] = n_kept
            _move(tree, prefix, tree, n_kept)
            parent = tree.parent[n_kept]
            if parent == NONE:
                tree.first_child[n_kept] = NONE
            else:
                add_child(tree, new_number[parent], n_kept)
            n_kept += 1
    for place in range(len(beam)):
        beam[place] = new_number[beam[place]]
    capacity = len(tree.parent)
    if 2 * (n_kept + n_needed) <= capacity:
        return tree, n_kept
    larger = make_tree(2 * (capacity + n_needed), tree.token[ROOT], tree.context[ROOT], 0)
    for prefix in range(n_kept):
        _move(tree, prefix, larger, prefix)
    return larger, n_kept


@compiled
def _move(source: PrefixTree, prefix: int, target: PrefixTree, number: int) -> None:
    target.parent[number] = source.parent[prefix]
    target.token[number] = source.token[prefix]
    target.first_child[number] = source.first_child[prefix]
    target.next_sibling[number] = source.next_sibling[prefix]
    target.place[number] = source.place[prefix]
    target.spelled[number] = source.spelled[prefix]
    target.ended[number] = source.ended[prefix]
    target.context[number] = source.context[prefix]
    target.phrase[number] = source.phrase[prefix]
    target.factor[number] = source.factor[prefix]
    target.outlook[number] = source.outlook[prefix]
    target.ending[number] = source.ending[prefix]
    target.context_behind[number] = source.context_behind[prefix]


@compiled
def trace(tree: PrefixTree, prefix: int) -> tuple[Numbers, Numbers, float]:
    """Spell a prefix, first token first.

    Returns:
        The tokens; the word that ended before each (see `ended`); and the log of all factors.
    """
    n_tokens, node = 0, prefix
    while tree.parent[node] != NONE:
        n_tokens += 1
        node = tree.parent[node]
    tokens, ended, log_factor = np.empty(n_tokens, np.int32), np.empty(n_tokens, np.int32), 0.0
    for i in range(n_tokens - 1, -1, -1):
        tokens[i], ended[i] = tree.token[prefix], tree.ended[prefix]
        log_factor += np.log(tree.factor[prefix])
        prefix = tree.parent[prefix]
    return tokens, ended, log_factor
