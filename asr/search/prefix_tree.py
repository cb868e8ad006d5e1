"""Prefix tree: every prefix that was ever in the beam, a row each.

A prefix is its parent and one more token; its id is its row. All of its score but the emission
depends on nothing else, so it is computed once, when the prefix is new, and not in every frame.

The fields of a row:

    parent          the prefix without its last token; none for the root
    token           the last token; for the root the boundary between words, or else the blank
    first_child     one of the prefixes that are one token longer, or none
    next_sibling    another child of the parent, or none
    slot            where in the beam the prefix is now, or none; while the tree is compacted, its
                    new row
    node            node of the lexicon: how the last word is spelled so far
    ended_word      the lexicon's word that ended before the last token; `OOV` for one that it
                    lacks, none if no word ended there
    lm_state        state of the language model after the complete words
    hotword_state   state of the hotwords
    factor          by how much the last token changed the score, apart from its emission
    look_ahead      by how much the unfinished word and phrase can still change it
    end_factor      factor for ending the last word here; NaN until it is needed
    next_lm_state   state of the language model after that word, once `end_factor` is known
"""

from typing import Any

import numpy as np

from asr.compiled import compiled
from asr.search.records import NONE, Ids, Records, record_type

ROOT = 0  # the empty prefix
OOV = -2  # a word that the lexicon lacks

ROW = record_type(
    ids=(
        *("parent", "token", "first_child", "next_sibling", "slot", "node", "ended_word"),
        *("lm_state", "hotword_state", "next_lm_state"),
    ),
    factors=("factor", "look_ahead", "end_factor"),
)


def make_tree(capacity: int, *, last_token: int, lm_state: int, hotword_state: int) -> Records:
    """Make a tree with room for `capacity` prefixes; the root is in slot 0 of the beam."""
    tree = np.recarray(capacity, ROW)
    root: Any = tree[ROOT]
    root.parent = root.first_child = root.next_sibling = root.ended_word = NONE
    root.token, root.slot, root.node = last_token, 0, 0
    root.lm_state, root.hotword_state = lm_state, hotword_state
    root.factor, root.look_ahead, root.end_factor = 1.0, 1.0, np.nan
    return tree


@compiled
def add_prefix(tree: Records, parent: int, prefix: int) -> None:
    """Make a row the child of another one."""
    row = tree[prefix]
    row.parent = parent
    row.first_child = NONE
    row.next_sibling = tree[parent].first_child
    tree[parent].first_child = prefix


@compiled
def find_prefix(tree: Records, parent: int, token: int, node: int) -> int:
    """Find the child of a prefix with a token and a node; none if it has no row."""
    child: int = tree[parent].first_child
    while child != NONE and (tree[child].token != token or tree[child].node != node):
        child = tree[child].next_sibling
    return child


@compiled
def compact(tree: Records, n_rows: int, active: Records) -> int:
    """Drop the prefixes that no active one extends, of `n_rows`; return how many stay.

    The active prefixes, those in the beam, get their new ids.
    """
    for prefix in range(n_rows):
        tree[prefix].slot = NONE
    for slot in range(len(active)):
        prefix = active[slot].prefix
        while prefix != NONE and tree[prefix].slot == NONE:
            tree[prefix].slot = 0
            prefix = tree[prefix].parent
    n_kept = 0
    for prefix in range(n_rows):  # parents come before children
        if tree[prefix].slot != NONE:
            parent, tree[prefix].slot = tree[prefix].parent, n_kept
            new_row = tree[n_kept].slot  # of the row overwritten, which others look up
            tree[n_kept] = tree[prefix]
            tree[n_kept].slot, tree[n_kept].first_child = new_row, NONE
            if parent != NONE:
                add_prefix(tree, tree[parent].slot, n_kept)
            n_kept += 1
    for slot in range(len(active)):
        active[slot].prefix = tree[active[slot].prefix].slot
    for prefix in range(n_kept):
        tree[prefix].slot = NONE
    for slot in range(len(active)):
        tree[active[slot].prefix].slot = slot
    return n_kept


@compiled
def n_tokens(tree: Records, prefix: int) -> int:
    """Count the tokens of a prefix."""
    n = 0
    while tree[prefix].parent != NONE:
        prefix = tree[prefix].parent
        n += 1
    return n


@compiled
def trace_back(tree: Records, prefix: int, tokens: Ids, ended_words: Ids) -> float:
    """Write the tokens of a prefix and the word that ended before each; sum its log factors."""
    log_factor = 0.0
    for i in range(len(tokens) - 1, -1, -1):
        row = tree[prefix]
        tokens[i], ended_words[i] = row.token, row.ended_word
        log_factor += np.log(row.factor)
        prefix = row.parent
    return log_factor


@compiled
def settled_row(tree: Records, active: Records, n_above: Ids) -> int:
    """Find the last prefix that begins a word and that all active ones extend, or none.

    The words before its last token are in all of them. `n_above`, (rows,), is scratch.
    """
    n_above[:] = 0
    for slot in range(len(active)):
        prefix = active[slot].prefix
        while prefix != NONE:
            n_above[prefix] += 1
            prefix = tree[prefix].parent
    row = active[0].prefix if len(active) > 0 else NONE
    while row != NONE and (n_above[row] < len(active) or tree[row].ended_word == NONE):
        row = tree[row].parent
    return row if row != NONE and tree[row].parent != NONE else NONE


@compiled
def n_frames_after(tree: Records, active: Records, root: int) -> int:
    """Count the frames that any active prefix needs for its tokens after those of a prefix.

    One for each, and a blank between repeats and after the last if some path has one there.
    """
    most = 0
    for slot in range(len(active)):
        prefix, n = active[slot].prefix, 1 if active[slot].in_blank > 0.0 else 0
        while prefix != root:
            parent = tree[prefix].parent
            n += 2 if parent != root and tree[parent].token == tree[prefix].token else 1
            prefix = parent
        most = max(most, n)
    return most


@compiled
def keep_extensions(tree: Records, active: Records, row: int) -> int:
    """Drop the active prefixes that do not extend a given one, in place; count those left."""
    n_kept = 0
    for slot in range(len(active)):
        prefix = active[slot].prefix
        while prefix > row:  # parents come before children
            prefix = tree[prefix].parent
        if prefix == row:
            active[n_kept] = active[slot]
            n_kept += 1
    return n_kept
