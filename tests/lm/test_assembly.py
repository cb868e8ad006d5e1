from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asr.errors import DataError
from asr.lm.assembly import Table, assemble
from tests.lm.conftest import Entries, log_prob_of

NGram = tuple[int, ...]
N_WORDS = 4


def table(ngrams: list[NGram], order: int) -> Table:
    words = np.array(ngrams, np.int32).reshape(-1, order)
    log_probs = -np.arange(1, len(words) + 1).astype(np.float32)
    return Table(words, log_probs, log_probs / np.float32(16))


def some_of(order: int) -> st.SearchStrategy[Table]:
    everything = list(product(range(N_WORDS), repeat=order))
    return st.lists(st.sampled_from(everything), unique=True, max_size=12).map(
        lambda ngrams: table(ngrams, order)
    )


@settings(max_examples=30)
@given(some_of(2), some_of(3), some_of(4))
def test_gaps_are_filled_with_what_backing_off_gives(two: Table, three: Table, four: Table) -> None:
    words = table([(w,) for w in range(N_WORDS)], 1)
    tables = [words, two, three, four]
    entries: Entries = {}
    for each in tables:
        values = zip(each.log_probs.tolist(), each.backoffs.tolist(), strict=True)
        entries |= zip(map(tuple, each.words.tolist()), values, strict=True)
    levels, filled = assemble(tables)
    for order in (2, 3, 4):
        level, below, found = levels[order - 1], filled[order - 2], filled[order - 1]
        np.testing.assert_array_equal(below.words[level.parents], found.words[:, :-1])
        np.testing.assert_array_equal(below.words[level.suffixes], found.words[:, 1:])
        np.testing.assert_array_equal(level.words, found.words[:, -1])
        ngrams = [tuple(row) for row in found.words.tolist()]
        assert ngrams == sorted(set(ngrams))
        assert {*ngrams} >= {tuple(row) for row in tables[order - 1].words.tolist()}
        for ngram, value in zip(ngrams, found.log_probs, strict=True):
            assert value == pytest.approx(log_prob_of(entries, ngram[:-1], ngram[-1]), abs=1e-4)


def test_an_ngram_that_is_there_twice_is_refused() -> None:
    words = table([(w,) for w in range(N_WORDS)], 1)
    with pytest.raises(DataError, match="each n-gram once, got 1 2-grams repeated"):
        assemble([words, table([(0, 1), (2, 3), (0, 1)], 2)])
