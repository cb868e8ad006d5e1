import math
from pathlib import Path

import numpy as np
import pytest

from asr.errors import DataError
from asr.lm.files import read_ngram
from asr.lm.ngram import NGram, make_nodes
from asr.lm.perplexity import perplexity
from asr.lm.segments import read_segments
from tests.lm.conftest import build


@pytest.mark.parametrize(
    ("name", "with_outside", "without_outside", "n_outside"),
    [
        # `query -v summary` of kenlm 0.3.0 on golden/other.txt (see test_kneser_ney.py): 440 tokens
        ("3-gram.arpa.gz", 384.2918861800663, 122.82032417317919, 166),
        ("4-gram.arpa.gz", 223.16825521845735, 83.35641858781777, 187),
    ],
)
def test_perplexities_are_those_of_kenlm(
    name: str, with_outside: float, without_outside: float, n_outside: int, golden: Path
) -> None:
    result = perplexity(read_ngram(golden / name), read_segments([golden / "other.txt"]))
    assert result.with_outside == pytest.approx(with_outside, rel=1e-5)
    assert result.without_outside == pytest.approx(without_outside, rel=1e-5)
    assert result.n_outside == n_outside
    assert result.n_words + result.n_segments == 440


def test_by_hand() -> None:
    # A and </s> twice, B once: of 5, 1 + 1 + 0.5 go evenly to A, B, </s> and <unk>
    uniform = (2.5 / 5) / 4
    probs = {"A": 1 / 5 + uniform, "B": 0.5 / 5 + uniform, "</s>": 1 / 5 + uniform}
    known = probs["A"] ** 2 * probs["B"] * probs["</s>"] ** 2
    result = perplexity(build(["A B", "A"], 1), ["A Q A", "B"])
    assert result.with_outside == pytest.approx((known * uniform) ** (-1 / 6))
    assert result.without_outside == pytest.approx(known ** (-1 / 5))


def test_words_outside_are_counted_and_named() -> None:
    result = perplexity(build(["A B"], 2), ["A Q X Q", "Q B"])
    assert dict(result.outside) == {"Q": 3, "X": 1}
    assert (result.n_outside, result.n_words, result.n_segments) == (4, 6, 2)


def test_a_text_of_nothing_but_words_outside_has_a_perplexity_of_its_ends() -> None:
    model = build(["A B"], 1)
    result = perplexity(model, ["Q", "X"])
    assert result.without_outside == pytest.approx(math.exp(-float(model.nodes.log_probs[3])))


def test_a_nearly_impossible_text_has_an_infinite_perplexity() -> None:
    model = build(["A B"], 1)
    nodes = model.nodes._replace(log_probs=np.full_like(model.nodes.log_probs, -1000.0))
    assert perplexity(NGram(model.vocabulary, make_nodes(*nodes)), ["A"]).with_outside == math.inf


def test_a_text_without_a_segment_is_refused() -> None:
    with pytest.raises(DataError, match="got none with a word"):
        perplexity(build(["A B"], 2), [])


@pytest.mark.parametrize("word", ["<s>", "</s>"])
def test_a_text_that_spells_start_or_end_is_refused(word: str) -> None:
    with pytest.raises(DataError, match=f"got the reserved '{word}'"):
        perplexity(build(["A B"], 2), [f"A {word}"])
