import numpy as np

from asr.search.prefix_tree import (
    NONE,
    ROOT,
    PrefixTree,
    add_prefix,
    clear_out,
    enlarge,
    find_prefix,
    make_tree,
    n_tokens,
    trace,
)


def tree_of(capacity: int) -> PrefixTree:
    return make_tree(capacity, blank=0, context=0, phrase=0)


def grow(tree: PrefixTree, parent: int, token: int) -> int:
    prefix = add_prefix(tree, parent)
    tree.token[prefix], tree.spelled[prefix], tree.factor[prefix] = token, 0, 0.5
    return prefix


def spell(tree: PrefixTree, prefix: int) -> tuple[list[int], float]:
    tokens = np.empty(n_tokens(tree, prefix), np.int64)
    log_factor = trace(tree, prefix, tokens, np.empty_like(tokens))
    return tokens.tolist(), log_factor


def test_the_root_spells_nothing() -> None:
    assert spell(tree_of(4), ROOT) == ([], 0.0)


def test_a_prefix_is_found_again_however_often_it_is_reached() -> None:
    tree = tree_of(8)
    first = grow(tree, ROOT, 5)
    second = grow(tree, first, 5)
    third = grow(tree, ROOT, 7)
    assert [find_prefix(tree, ROOT, token, 0) for token in (5, 6, 7)] == [first, NONE, third]
    assert find_prefix(tree, first, 5, 0) == second
    assert spell(tree, second) == ([5, 5], 2 * np.log(0.5))


def test_what_the_beam_does_not_go_back_to_is_cleared_out() -> None:
    tree = tree_of(100)
    prefixes = [grow(tree, ROOT, token) for token in range(1, 51)]
    beam = np.array([grow(tree, prefixes[19], 3), prefixes[29]])
    clear_out(tree, beam)
    assert tree.n[0] == 4
    assert [spell(tree, prefix)[0] for prefix in beam] == [[20, 3], [30]]
    assert find_prefix(tree, ROOT, 20, 0) == tree.parent[beam[0]]
    assert find_prefix(tree, ROOT, 21, 0) == NONE


def test_a_larger_tree_holds_the_same_prefixes() -> None:
    tree, prefix = tree_of(20), ROOT
    for token in range(1, 20):
        prefix = grow(tree, prefix, token)
    larger = enlarge(tree, 40)
    assert larger.n[0] == 20
    assert spell(larger, prefix)[0] == list(range(1, 20))
    assert spell(larger, grow(larger, prefix, 3))[0][-1] == 3
