"""Prefix tree: every prefix that was ever in the beam, as one row in flat arrays.

A prefix is the one before it and one more token; its number is its row. What a prefix is worth
beside the emission depends on nothing but the prefix, so it is worked out once, when the prefix is
new, and not frame by frame.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from asr.search.compiled import compiled

ROOT = 0  # the empty prefix
NONE = -1  # no prefix, no word, no place in the beam
UNLISTED = -2  # a word that is not in the lexicon

Numbers = NDArray[np.int64]
Factors = NDArray[np.float64]


class PrefixTree(NamedTuple):
    """Prefixes by number, each with these attributes, all of shape (capacity,) unless said.

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
        new_number: Room for clearing out.
        n: (1,) rows in use.
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
    new_number: Numbers
    n: Numbers


def make_tree(capacity: int, *, blank: int, context: int, phrase: int) -> PrefixTree:
    """Make room for `capacity` prefixes; the root is there, at place 0 of the beam."""
    numbers = np.full((11, capacity), NONE, np.int64)
    factors = np.ones((3, capacity))
    tree = PrefixTree(*numbers[:9], *factors, *numbers[9:], np.ones(1, np.int64))
    tree.token[ROOT], tree.place[ROOT], tree.spelled[ROOT] = blank, 0, 0
    tree.context[ROOT], tree.phrase[ROOT], tree.ending[ROOT] = context, phrase, np.nan
    return tree


def enlarge(tree: PrefixTree, capacity: int) -> PrefixTree:
    """Copy all rows into a tree with more room."""
    larger = make_tree(capacity, blank=0, context=0, phrase=0)
    n = int(tree.n[0])
    for old, new in zip(tree[:-1], larger[:-1], strict=True):
        new[:n] = old[:n]
    larger.n[0] = n
    return larger


@compiled
def add_prefix(tree: PrefixTree, parent: int) -> int:
    """Make a row for a prefix that is one token longer than another one."""
    child = tree.n[0]
    tree.n[0] += 1
    _hang(tree, parent, child)
    return child


@compiled
def find_prefix(tree: PrefixTree, parent: int, token: int, spelled: int) -> int:
    """Find the prefix that is one token longer than another one; none if it has no row."""
    child = tree.first_child[parent]
    while child != NONE and (tree.token[child] != token or tree.spelled[child] != spelled):
        child = tree.next_sibling[child]
    return child


@compiled
def clear_out(tree: PrefixTree, beam: Numbers) -> None:
    """Drop the rows that nothing in the beam goes back to.

    Args:
        tree: The tree.
        beam: (K,) prefixes in the beam, which get the numbers that they have from now on.
    """
    tree.new_number[: tree.n[0]] = NONE
    for prefix in beam:
        while prefix != NONE and tree.new_number[prefix] == NONE:
            tree.new_number[prefix] = 0
            prefix = tree.parent[prefix]
    n_kept = 0
    for prefix in range(tree.n[0]):  # parents have lower numbers than children
        if tree.new_number[prefix] != NONE:
            tree.new_number[prefix] = n_kept
            _move(tree, prefix, n_kept)
            parent = tree.parent[n_kept]
            tree.first_child[n_kept] = NONE
            if parent != NONE:
                _hang(tree, tree.new_number[parent], n_kept)
            n_kept += 1
    for place in range(len(beam)):
        beam[place] = tree.new_number[beam[place]]
    tree.n[0] = n_kept


@compiled
def n_tokens(tree: PrefixTree, prefix: int) -> int:
    """Count the tokens of a prefix."""
    n = 0
    while tree.parent[prefix] != NONE:
        prefix = tree.parent[prefix]
        n += 1
    return n


@compiled
def trace(tree: PrefixTree, prefix: int, tokens: Numbers, ended: Numbers) -> float:
    """Spell a prefix: write its tokens, and the word that ended before each; sum its log factors."""
    log_factor = 0.0
    for i in range(len(tokens) - 1, -1, -1):
        tokens[i], ended[i] = tree.token[prefix], tree.ended[prefix]
        log_factor += np.log(tree.factor[prefix])
        prefix = tree.parent[prefix]
    return log_factor


@compiled
def _hang(tree: PrefixTree, parent: int, child: int) -> None:
    tree.parent[child] = parent
    tree.first_child[child] = NONE
    tree.next_sibling[child] = tree.first_child[parent]
    tree.first_child[parent] = child


@compiled
def _move(tree: PrefixTree, source: int, target: int) -> None:
    tree.parent[target] = tree.parent[source]
    tree.token[target] = tree.token[source]
    tree.place[target] = tree.place[source]
    tree.spelled[target] = tree.spelled[source]
    tree.ended[target] = tree.ended[source]
    tree.context[target] = tree.context[source]
    tree.phrase[target] = tree.phrase[source]
    tree.factor[target] = tree.factor[source]
    tree.outlook[target] = tree.outlook[source]
    tree.ending[target] = tree.ending[source]
    tree.context_behind[target] = tree.context_behind[source]
