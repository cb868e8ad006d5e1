"""No file can make compiled code leave its arrays, run in circles or compute with NaN."""

import math
import random
from pathlib import Path

import numpy as np
import pytest

from asr.errors import DataError
from asr.lm.backoff import word_log_prob
from asr.lm.binary import read_binary, write_binary
from asr.lm.files import read_ngram, write_ngram
from asr.lm.ngram import NGram, Nodes, make_nodes
from asr.lm.soundness import unsound
from tests.lm.conftest import build

ARRAYS = ("words", "log_probs", "backoffs", "first_child", "suffixes")


@pytest.fixture(scope="module")
def model() -> NGram:
    return build(["A B A C", "A B", "ÉTAT A B", "C"], 3)


def changed(nodes: Nodes, name: str, node: int, value: float) -> Nodes:
    arrays = {each: np.array(getattr(nodes, each)) for each in ARRAYS}
    arrays[name][node] = value
    return make_nodes(**arrays)


def test_what_was_estimated_is_sound(model: NGram) -> None:
    assert unsound(model.nodes, len(model.vocabulary)) is None


@pytest.mark.parametrize(
    ("name", "node", "value", "problem"),
    [
        ("words", 3, 99, "n-gram 3 words of the vocabulary"),
        ("words", -1, -1, "words of the vocabulary"),
        ("first_child", 5, 2**32 - 1, "n-grams that begin with it"),
        ("first_child", 4, 2, "n-grams that begin with it"),
        ("suffixes", 4, 4, "n-gram 4 an n-gram without the first word"),
        ("suffixes", -1, -1, "an n-gram without the first word"),
        ("suffixes", -1, 2**31 - 1, "an n-gram without the first word"),
        ("log_probs", 5, math.nan, "n-gram 5 finite logarithms"),
        ("log_probs", 5, -math.inf, "finite logarithms"),
        ("log_probs", 5, 0.5, "finite logarithms"),
        ("backoffs", 4, math.inf, "n-gram 4 finite logarithms"),
    ],
)
def test_each_number_is_looked_at(
    model: NGram, name: str, node: int, value: float, problem: str, tmp_path: Path
) -> None:
    nodes = changed(model.nodes, name, node, value)
    assert problem in str(unsound(nodes, len(model.vocabulary)))
    write_binary(tmp_path / "m.lm", NGram(model.vocabulary, nodes))
    with pytest.raises(DataError, match=r"m\.lm: is damaged: expected for n-gram"):
        read_binary(tmp_path / "m.lm")


def test_a_probability_is_never_above_one(model: NGram) -> None:
    nodes = changed(model.nodes, "backoffs", 0, 999.0)
    nodes = changed(nodes, "backoffs", 5, 999.0)
    assert unsound(nodes, len(model.vocabulary)) is None
    for state in range(len(nodes.backoffs)):
        for word in range(len(model.vocabulary)):
            assert word_log_prob(nodes, state, word)[0] <= 0.0


def mutated(original: bytes, chance: random.Random) -> bytes:
    """Flip, overwrite, cut out or insert a few bytes."""
    content = bytearray(original)
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(content))
        kind = chance.randrange(4)
        if kind == 0:
            content[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            content[at : at + 4] = chance.randbytes(4)
        elif kind == 2:
            del content[at : at + chance.randint(1, 40)]
        else:
            content[at:at] = original[: chance.randint(1, 20)]
    return bytes(content)


@pytest.mark.parametrize("form", ["m.lm", "m.arpa"])
def test_a_mutated_file_is_refused_or_scores(model: NGram, form: str, tmp_path: Path) -> None:
    """What is read must score every word in every state."""
    write_ngram(tmp_path / form, model)
    original = (tmp_path / form).read_bytes()
    chance, n_read = random.Random(1), 0
    for _ in range(1500):
        content = mutated(original, chance)
        path = tmp_path / f"fuzzed-{form}"
        path.write_bytes(content)
        try:
            found = read_ngram(path)
        except DataError:
            continue
        n_read += 1
        for state in range(len(found.nodes.backoffs)):
            for word in range(len(found.vocabulary)):
                log_prob, after = word_log_prob(found.nodes, state, word)
                assert -math.inf < log_prob <= 0.0
                assert 0 <= after < len(found.nodes.backoffs)
    assert n_read > 20
