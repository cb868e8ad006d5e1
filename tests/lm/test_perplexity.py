import math
from collections.abc import Callable
from pathlib import Path

import pytest

from asr.errors import DataError
from asr.lm.files import read_ngram
from asr.lm.ngram import NGram
from asr.lm.perplexity import perplexity
from asr.lm.segments import read_segments


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


def test_by_hand(build: Callable[..., NGram]) -> None:
    model = build(["A B", "A"], 1)
    probs = {"A": 1.5 / 5 + 0.4 / 4, "B": 0.5 / 5 + 0.4 / 4, "</s>": 0.5 / 5}
    result = perplexity(model, ["A Q A", "B"])
    log_probs = [float(model.log_probs[1 + model.vocabulary.id(w)]) for w in ("A", "B", "</s>")]
    unknown = float(model.log_probs[1])
    total = 2 * log_probs[0] + log_probs[1] + 2 * log_probs[2] + unknown
    assert len(probs) == 3
    assert result.with_outside == pytest.approx(math.exp(-total / 6))
    assert result.without_outside == pytest.approx(math.exp(-(total - unknown) / 5))


def test_words_outside_are_counted_and_named(build: Callable[..., NGram]) -> None:
    result = perplexity(build(["A B"], 2), ["A Q X Q", "Q B"])
    assert dict(result.outside) == {"Q": 3, "X": 1}
    assert (result.n_outside, result.n_words, result.n_segments) == (4, 6, 2)


def test_a_text_of_nothing_but_words_outside_has_a_perplexity_of_its_ends(
    build: Callable[..., NGram],
) -> None:
    model = build(["A B"], 1)
    result = perplexity(model, ["Q", "X"])
    assert result.without_outside == pytest.approx(math.exp(-float(model.log_probs[3])))


def test_what_is_nearly_impossible_has_a_perplexity_all_the_same(
    build: Callable[..., NGram],
) -> None:
    model = build(["A B"], 1)
    model.log_probs[:] = -1000.0
    assert perplexity(model, ["A"]).with_outside == math.inf


def test_a_text_without_a_segment_is_refused(build: Callable[..., NGram]) -> None:
    with pytest.raises(DataError, match="got none with a word"):
        perplexity(build(["A B"], 2), [])


@pytest.mark.parametrize("word", ["<s>", "</s>"])
def test_a_text_that_spells_start_or_end_is_refused(word: str, build: Callable[..., NGram]) -> None:
    with pytest.raises(DataError, match=f"got '{word}'"):
        perplexity(build(["A B"], 2), [f"A {word}"])
