from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.search.lexicon import Numbers, Spellings, make_lexicon
from asr.search.records import NONE

WORDS = st.lists(st.text("ABC", min_size=1, max_size=4), min_size=1, max_size=12)
UNITS = [[], *[[ord(letter)] for letter in "ABC"]]  # of the tokens: a blank and three letters


@given(WORDS, st.randoms(use_true_random=False))
def test_the_best_reachable_score_of_a_prefix_is_that_of_its_best_word(
    words: list[str], random: Random
) -> None:
    spellings = [[ord(letter) for letter in word] for word in words]
    lexicon = make_lexicon(Spellings.of(spellings, range(len(words))), UNITS, [False] * 4)
    scores = np.array([random.uniform(-9.0, 0.0) for _ in words])

    best = lexicon.best_reachable(scores)

    for node in range(len(lexicon.word)):
        below = [
            place
            for place in range(len(lexicon.word))
            if lexicon.word[place] != NONE and node in _path(lexicon.parent, place)
        ]
        assert best[node] == max(scores[lexicon.word[below]], default=-np.inf)


def _path(parent: Numbers, node: int) -> set[int]:
    """The node and all the beginnings that it has."""
    nodes = {node, 0}
    while node:
        node = int(parent[node])
        nodes.add(node)
    return nodes


@pytest.mark.parametrize(
    ("name", "place", "value"),
    [
        ("first_arc", 0, 1),
        ("first_arc", -1, 2**31 - 1),
        ("first_arc", 1, -1),
        ("arc_token", 0, 4),
        ("arc_target", -1, 99),
        ("arc_target", 0, -1),
        ("word", 1, 3),
        ("word", 1, -2),
        ("parent", 2, 2),
        ("parent", 0, 1),
        ("depth", 1, 2**31 - 1),
        ("depth", 0, -1),
    ],
)
def test_each_number_of_an_automaton_is_looked_at(name: str, place: int, value: int) -> None:
    spellings = [[ord(letter) for letter in word] for word in ("AB", "BA", "AC")]
    lexicon = make_lexicon(Spellings.of(spellings, range(3)), UNITS, [False] * 4)
    assert lexicon.is_sound(4, 3)

    changed = getattr(lexicon, name).copy()
    changed[place] = value

    assert not replace(lexicon, **{name: changed}).is_sound(4, 3)
    assert not replace(lexicon, **{name: changed[:-1]}).is_sound(4, 3)
