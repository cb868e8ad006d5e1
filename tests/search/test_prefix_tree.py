import numpy as np

from asr.search.prefix_tree import NONE, ROOT, PrefixTree, add_child, find_child, make_room, make_tree, trace


def grow(tree: PrefixTree, n_rows: int, prefix: int, token: int) -> int:
    add_child(tree, prefix, n_rows)
    tree.token[n_rows], tree.spelled[n_rows], tree.ended[n_rows] = token, 0, NONE
    tree.place[n_rows], tree.factor[n_rows], tree.ending[n_rows] = NONE, 0.5, np.nan
    return n_rows + 1


def test_the_root_spells_nothing() -> None:
    tokens, _, log_factor = trace(make_tree(4, 0, 0, 0), ROOT)
    assert (len(tokens), log_factor) == (0, 0.0)


def test_a_prefix_is_found_again_however_often_it_is_reached() -> None:
    tree = make_tree(8, 0, 0, 0)
    n_rows = grow(tree, 1, ROOT, 5)
    n_rows = grow(tree, n_rows, 1, 5)
    grow(tree, n_rows, ROOT, 7)
    assert [find_child(tree, ROOT, token, 0) for token in (5, 6, 7)] == [1, NONE, 3]
    assert find_child(tree, 1, 5, 0) == 2
    tokens, _, log_factor = trace(tree, 2)
    assert tokens.tolist() == [5, 5]
    assert log_factor == 2 * np.log(0.5)


def test_room_is_made_by_dropping_what_the_beam_does_not_go_back_to() -> None:
    tree, n_rows = make_tree(100, 0, 0, 0), 1
    for token in range(1, 51):
        n_rows = grow(tree, n_rows, ROOT, token)
    n_rows = grow(tree, n_rows, 20, 3)
    beam = np.array([51, 30], np.int32)
    tree, n_rows = make_room(tree, n_rows, beam, 10)
    assert (n_rows, len(tree.parent)) == (4, 100)
    assert [trace(tree, prefix)[0].tolist() for prefix in beam] == [[20, 3], [30]]
    assert find_child(tree, ROOT, 20, 0) == tree.parent[beam[0]]
    assert find_child(tree, ROOT, 21, 0) == NONE


def test_a_tree_that_is_still_full_doubles() -> None:
    tree, n_rows = make_tree(20, 0, 0, 0), 1
    for token in range(1, 20):
        n_rows = grow(tree, n_rows, n_rows - 1, token)
    beam = np.array([n_rows - 1], np.int32)
    tree, n_rows = make_room(tree, n_rows, beam, 5)
    assert len(tree.parent) >= 2 * (n_rows + 5)
    assert trace(tree, beam[0])[0].tolist() == list(range(1, 20))
