import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from asr.errors import DataError
from asr.lm import ngram
from asr.lm.backoff import score_segment, start_state, word_log_prob
from asr.lm.levels import Level, first_level
from asr.lm.ngram import ROOT, NGram
from asr.lm.vocabulary import END_ID, START_ID, UNKNOWN_ID, Vocabulary
from tests.lm.conftest import build, entries_of, log_prob_of

SEGMENTS = ["A B A C", "A B", "B A B C A", "C", "A A B"]

segments = st.lists(
    st.lists(st.sampled_from("ABCD"), min_size=1, max_size=6).map(" ".join), min_size=1, max_size=8
)
settings_of_a_model = st.fixed_dictionaries(
    {"order": st.integers(1, 4)},
    optional={
        "min_counts": st.sampled_from([(1, 2), (1, 1, 2), (1, 2, 3), (2,)]),
        "threshold": st.sampled_from([1e-4, 1e-2, 0.1]),
        "vocabulary": st.just(Vocabulary.of("AZB")),
    },
)


@pytest.fixture(scope="module")
def model() -> NGram:
    return build(SEGMENTS, 3)


def contexts_of(model: NGram) -> list[tuple[int, ...]]:
    """Every n-gram that is not of the highest order, the empty one first."""
    parents, ngrams = model.parents(), [()]
    for node in range(1, len(model.nodes.backoffs)):
        ngrams.append((*ngrams[parents[node]], int(model.nodes.words[node])))
    return [ngram for ngram in ngrams if not {UNKNOWN_ID, END_ID} & {*ngram}]


def state_after(model: NGram, context: Sequence[int]) -> int:
    state = ROOT
    if context[:1] == (START_ID,):
        state, context = start_state(model.nodes), context[1:]
    for word in context:
        _, state = word_log_prob(model.nodes, state, word)
    return state


@settings(max_examples=30)
@given(segments, settings_of_a_model)
def test_after_every_context_probabilities_sum_to_one_however_pruned(
    texts: list[str], how: dict[str, Any]
) -> None:
    model = build(texts, **how)
    for context in contexts_of(model):
        state = state_after(model, context)
        words = [w for w in range(len(model.vocabulary)) if w != START_ID]
        total = sum(np.exp(word_log_prob(model.nodes, state, word)[0]) for word in words)
        assert total == pytest.approx(1.0, abs=1e-5), context


@settings(max_examples=30)
@given(segments, settings_of_a_model, st.lists(st.sampled_from("ABCDE"), max_size=8))
def test_a_segment_scores_as_backing_off_is_defined(
    texts: list[str], how: dict[str, Any], words: list[str]
) -> None:
    model = build(texts, **how)
    entries = entries_of(model)
    ids = [START_ID, *model.vocabulary.ids(words), END_ID]
    order = model.order
    expected = [
        log_prob_of(entries, ids[max(0, i - order + 1) : i], ids[i]) for i in range(1, len(ids))
    ]
    found = np.empty(len(expected))
    score_segment(model.nodes, np.array(ids[1:-1], np.int32), found)
    assert found == pytest.approx(expected, abs=1e-5)


def test_the_drawing_in_the_docstring_is_true() -> None:
    def level(parents: list[int], words: list[int], suffixes: list[int]) -> Level:
        return Level(*(np.array(rows, np.int32) for rows in (parents, words, suffixes)))

    levels = [first_level(5), level([1, 3], [3, 4], [3, 4]), level([0], [4], [1])]
    values: list[NDArray[np.floating]] = [np.zeros(len(level.words)) for level in levels]
    model = NGram.from_levels(Vocabulary.of("AB"), levels, values, values[:2])
    drawn = dict(re.findall(r"^ +(words|first_child|suffixes) +(.*)$", ngram.__doc__, re.M))
    assert len(drawn) == 3
    for name, numbers in drawn.items():
        assert getattr(model.nodes, name).tolist() == [int(n.strip("()")) for n in numbers.split()]


def test_nodes_are_sorted_by_parent_and_word_and_words_stand_at_their_ids(model: NGram) -> None:
    parents = model.parents()
    for start, stop in zip(model.starts, model.starts[1:], strict=False):
        pairs = list(zip(parents[start:stop], model.nodes.words[start:stop], strict=True))
        assert pairs == sorted(set(pairs))
    n_words = len(model.vocabulary)
    np.testing.assert_array_equal(model.nodes.words[1 : 1 + n_words], np.arange(n_words))


def test_children_of_a_node_are_those_that_name_it_their_parent(model: NGram) -> None:
    parents = model.parents()
    for node in range(len(model.nodes.backoffs)):
        children = np.arange(*model.nodes.first_child[node : node + 2])
        np.testing.assert_array_equal(children, np.flatnonzero(parents[1:] == node) + 1)


def test_types_and_sizes_are_those_that_the_search_counts_on(model: NGram) -> None:
    nodes, n_nodes, n_inner = model.nodes, len(model.nodes.words), model.starts[model.order]
    assert nodes.words.dtype == nodes.suffixes.dtype == np.int32
    assert nodes.log_probs.dtype == nodes.backoffs.dtype == np.float32
    assert nodes.first_child.dtype == np.uint32
    assert len(nodes.log_probs) == len(nodes.suffixes) == n_nodes
    assert (len(nodes.backoffs), len(nodes.first_child)) == (n_inner, n_inner + 1)
    assert (model.order, nodes.words[ROOT], nodes.backoffs[ROOT]) == (3, -1, 0.0)


def test_a_state_is_no_longer_than_the_context_that_matters(model: NGram) -> None:
    nodes = model.nodes
    _, state = word_log_prob(nodes, start_state(nodes), UNKNOWN_ID)
    assert state == ROOT  # nothing follows <unk> in the model
    for context in contexts_of(model):
        state = state_after(model, context)
        assert nodes.first_child[state] < nodes.first_child[state + 1]


def test_more_ngrams_than_can_be_numbered_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asr.lm.ngram._MAX_NODES", 10)
    with pytest.raises(DataError, match="at most 10 n-grams, got"):
        build(SEGMENTS, 3)


def test_an_order_that_is_all_pruned_is_gone() -> None:
    assert build(SEGMENTS, 3, min_counts=[1, 1, 99]).order == 2
    assert build(SEGMENTS, 3, min_counts=[1, 99]).order == 1
