import numpy as np

from asr.search.prefix_tree import (
    ROOT,
    add_prefix,
    compact,
    find_prefix,
    make_tree,
    n_tokens,
    trace_back,
)
from asr.search.records import NONE, Records
from asr.search.state import SLOT


class Forest:
    """A tree that counts its rows, as the search does."""

    def __init__(self) -> None:
        self.tree: Records = make_tree(100, last_token=0, lm_state=0, hotword_state=0)
        self.n_rows = 1

    def grow(self, parent: int, token: int) -> int:
        add_prefix(self.tree, parent, self.n_rows)
        row = self.tree[self.n_rows]
        row.token, row.node, row.factor = token, 0, 0.5
        self.n_rows += 1
        return self.n_rows - 1

    def spell(self, prefix: int) -> tuple[list[int], float]:
        tokens = np.empty(n_tokens(self.tree, prefix), np.int64)
        log_factor = trace_back(self.tree, prefix, tokens, np.empty_like(tokens))
        return tokens.tolist(), log_factor


def test_the_root_spells_nothing() -> None:
    assert Forest().spell(ROOT) == ([], 0.0)


def test_a_prefix_is_found_again_however_often_it_is_reached() -> None:
    forest = Forest()
    first = forest.grow(ROOT, 5)
    second = forest.grow(first, 5)
    third = forest.grow(ROOT, 7)
    found = [find_prefix(forest.tree, ROOT, token, 0) for token in (5, 6, 7)]
    assert found == [first, NONE, third]
    assert find_prefix(forest.tree, first, 5, 0) == second
    assert forest.spell(second) == ([5, 5], 2 * np.log(0.5))


def test_prefixes_that_the_beam_does_not_extend_are_dropped() -> None:
    forest = Forest()
    prefixes = [forest.grow(ROOT, token) for token in range(1, 51)]
    beam = np.recarray(2, SLOT)
    longer = forest.grow(prefixes[40], 3)
    beam["prefix"] = [forest.grow(longer, 4), prefixes[29]]
    assert compact(forest.tree, forest.n_rows, beam) == 5
    assert [forest.spell(prefix)[0] for prefix in beam["prefix"]] == [[41, 3, 4], [30]]
    parent = find_prefix(forest.tree, ROOT, 41, 0)
    assert find_prefix(forest.tree, parent, 3, 0) == forest.tree["parent"][beam["prefix"][0]]
    assert find_prefix(forest.tree, ROOT, 21, 0) == NONE
