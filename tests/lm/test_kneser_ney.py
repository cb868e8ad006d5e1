# Made with lmplz of the kenlm 0.3.0 source distribution from PyPI, built with GCC 12:
#
#   golden/text.txt, other.txt   160 and 20 lines of public-domain books
#   golden/vocabulary.txt        the 300 most frequent words of text.txt, and one that it lacks
#   golden/3-gram.arpa.gz        lmplz -o 3 < text.txt
#   golden/4-gram.arpa.gz        lmplz -o 4 --prune 0 0 1 1 --limit_vocab_file vocabulary.txt
#                                  --vocab_pad 303 --discount_fallback < text.txt
#
# --vocab_pad is how lmplz is told of the word that the text lacks: 301 words, <unk> and </s>.

import logging
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asr.lm.files import read_ngram
from asr.lm.kneser_ney import FALLBACK, discounts
from asr.lm.ngram import NGram
from asr.lm.vocabulary import Vocabulary, read_vocabulary
from tests.lm.conftest import build, entries_of

Entries = dict[tuple[str, ...], tuple[float, float]]
TOLERANCE = 1e-4 * np.log(10)  # 1e-4 in log10


@pytest.fixture(scope="session")
def segments(golden: Path) -> list[str]:
    return (golden / "text.txt").read_text().splitlines()


def spelled(model: NGram) -> Entries:
    words = model.vocabulary.words
    return {tuple(words[i] for i in ids): values for ids, values in entries_of(model).items()}


def test_an_unpruned_model_is_that_of_lmplz(golden: Path, segments: list[str]) -> None:
    ours, theirs = spelled(build(segments, 3)), spelled(read_ngram(golden / "3-gram.arpa.gz"))
    assert ours.keys() == theirs.keys()
    assert len(ours) == 733 + 1987 + 2182
    for ngram, values in theirs.items():
        assert ours[ngram] == pytest.approx(values, abs=TOLERANCE), ngram


@pytest.mark.filterwarnings("ignore")
def test_a_model_with_a_vocabulary_and_least_counts_is_that_of_lmplz(
    golden: Path, segments: list[str]
) -> None:
    vocabulary = read_vocabulary(golden / "vocabulary.txt")
    ours = spelled(build(segments, 4, vocabulary=vocabulary, min_counts=[1, 1, 2]))
    theirs = spelled(read_ngram(golden / "4-gram.arpa.gz"))
    assert ours.keys() - theirs.keys() == {("ZEPHYRINE",)}  # lmplz leaves out what it has not seen
    assert ours["ZEPHYRINE",] == ours["<unk>",]
    assert len(theirs) == 303 + 1192 + 52 + 7
    for ngram, values in theirs.items():
        assert ours[ngram] == pytest.approx(values, abs=TOLERANCE), ngram


def test_by_hand() -> None:
    # Counts are too few to estimate discounts: 0.5, 1 and 1.5.
    model = spelled(build(["A B", "A"], 2))
    # Words before: of A 1 (<s>), of B 1 (A), of </s> 2 (B, A). Of 4, discounts take 0.5 + 0.5 + 1.
    uniform = (2 / 4) / 4  # over <unk>, </s>, A, B
    assert model["<unk>",][0] == pytest.approx(np.log(uniform))
    assert model["A",][0] == pytest.approx(np.log(0.5 / 4 + uniform))
    assert model["</s>",][0] == pytest.approx(np.log(1 / 4 + uniform))
    # After A came B and </s>, once each.
    assert model["A",][1] == pytest.approx(np.log(1 / 2))
    assert model["A", "B"][0] == pytest.approx(np.log(0.5 / 2 + 0.5 * (0.5 / 4 + uniform)))
    # After <s> came A, twice.
    assert model["<s>", "A"][0] == pytest.approx(np.log(1 / 2 + 0.5 * (0.5 / 4 + uniform)))


@settings(max_examples=50)
@given(counts=st.lists(st.integers(0, 9), max_size=200))
def test_discounts_leave_something_of_every_count_and_take_something(counts: list[int]) -> None:
    taken = discounts(np.array(counts, np.int64), 2)
    assert taken[0] == 0.0
    assert np.all(taken[1:] > 0.0)
    assert np.all(taken <= np.arange(4))


def test_discounts_that_a_text_does_not_determine_fall_back_and_are_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING):
        assert tuple(discounts(np.array([1, 1, 1, 2]), 3)) == FALLBACK
    assert "too small or too regular to estimate the discounts of 3-grams" in caplog.text


def test_discounts_by_hand() -> None:
    counts = np.repeat([1, 2, 3, 4, 7], [8, 4, 2, 1, 9])
    y = 8 / (8 + 2 * 4)
    expected = [0, 1 - 2 * y * 4 / 8, 2 - 3 * y * 2 / 4, 3 - 4 * y * 1 / 2]
    assert discounts(counts, 1) == pytest.approx(expected)


def test_one_word_is_text_enough() -> None:
    model = build(["A"], 3)
    assert model.order == 3
    assert model.vocabulary == Vocabulary.of(["A"])
    assert np.isfinite(model.nodes.log_probs).all()


def test_without_a_word_of_the_vocabulary_all_is_left_to_ends() -> None:
    model = build(["A B", "C"], 2, vocabulary=Vocabulary.of(["Z"]))
    assert np.isfinite(model.nodes.log_probs).all()
    assert model.starts == [0, 1, 5]  # no pair is left but what is outside: single words
