"""A compact model has all n-grams of the mapped one, and nearly its numbers."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.errors import DataError
from asr.lm.arpa_reader import read_arpa
from asr.lm.array_file import read_arrays, write_arrays
from asr.lm.binary import COMPACT, FORMS, read_binary, write_binary
from asr.lm.compact import N_VALUES, pack, read_variable_length, unpack, variable_length
from asr.lm.ngram import NGram, make_nodes
from tests.lm.conftest import build

SENTENCES = ["A B A C", "A B", "ÉTAT A B", "C", "B A C A", "C C C"]


@pytest.fixture(scope="module", params=[1, 2, 3, 4])
def model(request: pytest.FixtureRequest) -> NGram:
    return build(SENTENCES, request.param)


@pytest.fixture
def path(model: NGram, tmp_path: Path) -> Path:
    write_binary(tmp_path / "m.lm", model, is_compact=True)
    return tmp_path / "m.lm"


def assert_alike(twin: NGram, model: NGram) -> None:
    assert twin.vocabulary == model.vocabulary
    for name in ("words", "suffixes", "first_child"):
        np.testing.assert_array_equal(getattr(twin.nodes, name), getattr(model.nodes, name))
    for name in ("log_probs", "backoffs"):
        before, after = getattr(model.nodes, name), getattr(twin.nodes, name)
        step = np.ptp(np.append(before, 0)) / (N_VALUES - 3)
        np.testing.assert_allclose(after, before, rtol=0, atol=0.5001 * step)
        np.testing.assert_array_equal(after[before == 0], 0)  # a weight of one stays one
    for name, array in twin.nodes._asdict().items():
        assert array.dtype == getattr(model.nodes, name).dtype
        assert not array.flags.writeable


def test_a_model_is_read_as_it_was_written(model: NGram, path: Path) -> None:
    assert_alike(read_binary(path), model)


def test_a_real_model_takes_less_than_a_quarter_of_the_bytes(golden: Path, tmp_path: Path) -> None:
    model = read_arpa(golden / "3-gram.arpa.gz")
    write_binary(tmp_path / "mapped.lm", model)
    write_binary(tmp_path / "compact.lm", model, is_compact=True)

    assert_alike(read_binary(tmp_path / "compact.lm"), model)
    n_words = len("\n".join(model.vocabulary.words).encode())
    mapped, compact = (
        (tmp_path / f"{name}.lm").stat().st_size - n_words for name in ("mapped", "compact")
    )
    assert compact < 0.25 * mapped


def test_weights_of_contexts_without_longer_ngrams_are_kept(
    tmp_path: Path, childless: NGram
) -> None:
    write_binary(tmp_path / "m.lm", childless, is_compact=True)
    twin = read_binary(tmp_path / "m.lm")
    assert twin.order == 2
    assert_alike(twin, childless)


def test_an_impossible_word_makes_no_steps_larger() -> None:
    nodes = build(SENTENCES, 2).nodes
    log_probs, backoffs = nodes.log_probs.copy(), nodes.backoffs.copy()
    log_probs[1] = backoffs[1] = -228.0  # ARPA's -99
    twin = unpack(pack(nodes._replace(log_probs=log_probs, backoffs=backoffs)))
    assert twin is not None
    for ours, theirs in ((twin.log_probs, log_probs), (twin.backoffs, backoffs)):
        usable = np.delete(theirs, 1)
        assert ours[1] == -228.0
        half_a_step = np.ptp([0.0, *usable]) / 253 / 2
        np.testing.assert_allclose(np.delete(ours, 1), usable, rtol=0, atol=1.001 * half_a_step)


@given(st.lists(st.integers(0, 300), min_size=2, max_size=40), st.data())
def test_any_numbers_of_children_come_back(n_followers: list[int], data: st.DataObject) -> None:
    """Counts and gaps take one byte or more."""
    n_words = len(n_followers)
    followers = [
        sorted(data.draw(st.sets(st.integers(0, n_words - 1), max_size=n)))
        for n in (min(n, n_words) for n in n_followers)
    ]
    first = 1 + n_words
    starts = first + np.cumsum([0, *map(len, followers)])
    words = np.concatenate([np.arange(-1, n_words), *followers]).astype(np.int32)
    nodes = make_nodes(
        words=words,
        log_probs=-np.ones(len(words), np.float32),
        backoffs=np.zeros(first, np.float32),
        first_child=np.append(1, starts).astype(np.uint32),
        suffixes=np.where(np.arange(len(words)) < first, 0, 1 + words).astype(np.int32),
    )
    twin = unpack(pack(nodes))
    assert twin is not None
    for name, array in nodes._asdict().items():
        np.testing.assert_array_equal(getattr(twin, name)[1:], array[1:])


@pytest.mark.parametrize("number", [127, 128, 16_383, 16_384, 2_097_151, 2_097_152, 2**31])
def test_a_large_number_takes_more_bytes(number: int) -> None:
    numbers = np.array([1, number, 2], np.uint32)
    written = variable_length(numbers)
    assert len(written) == 2 + -(-number.bit_length() // 7)
    read = np.zeros(3, np.uint32)
    assert read_variable_length(written, read)
    np.testing.assert_array_equal(read, numbers)
    assert not read_variable_length(written[:-1], read)
    assert not read_variable_length(np.append(written, written[:1]), read)


def test_no_damage_leads_out_of_the_arrays(path: Path) -> None:
    """Any byte of the counts and gaps may be another one: the model is refused, or is sound."""
    _, arrays = read_arrays(path, FORMS, "a model")
    generator = np.random.default_rng(1)
    n_refused = 0
    for name in ("contexts", "n_children", "gaps"):
        for _ in range(40 if len(arrays[name]) else 0):
            damaged = arrays[name].copy()
            damaged[generator.integers(len(damaged))] = generator.integers(256)
            changed = {**arrays, name: damaged}
            write_arrays(path.with_name("d.lm"), COMPACT, FORMS[COMPACT], changed)
            try:
                read_binary(path.with_name("d.lm"))
            except DataError:
                n_refused += 1
    assert n_refused


def test_a_rank_beyond_the_children_of_the_suffix_is_refused() -> None:
    nodes = build(SENTENCES, 3).nodes
    arrays = pack(nodes)
    gaps = np.zeros(len(nodes.words) - nodes.first_child[1], np.uint32)
    assert read_variable_length(arrays["gaps"], gaps)
    assert unpack({**arrays, "gaps": variable_length(gaps)}) is not None

    gaps[-1] += 1  # the last word of a context that has no later one

    assert unpack({**arrays, "gaps": variable_length(gaps)}) is None


@pytest.mark.parametrize(
    "name",
    ["log_prob_values", "contexts", "n_children", "gaps", "log_probs", "backoffs"],
)
def test_arrays_of_another_size_are_refused(name: str, path: Path) -> None:
    _, arrays = read_arrays(path, FORMS, "a model")
    longer = np.append(arrays[name], arrays["log_probs"][:1]).astype(arrays[name].dtype)
    write_arrays(path, COMPACT, FORMS[COMPACT], {**arrays, name: longer})
    with pytest.raises(DataError, match="expected arrays that fit together"):
        read_binary(path)
