import numpy as np
import pytest

from asr.errors import DataError
from asr.lm.text import index_text
from asr.lm.vocabulary import Vocabulary

SEGMENTS = ["B A\n", " A  C A \n"]


def test_segments_become_ids_between_start_and_end() -> None:
    text = index_text(SEGMENTS)
    assert text.vocabulary.words[3:] == ("A", "B", "C")  # the most frequent first
    np.testing.assert_array_equal(text.tokens, [1, 4, 3, 2, 1, 3, 5, 3, 2])
    assert (text.n_words, text.n_segments, text.n_outside) == (5, 2, 0)


def test_words_outside_a_given_vocabulary_have_the_ids_after_it() -> None:
    text = index_text(SEGMENTS, Vocabulary.of(["Z", "A"]))
    np.testing.assert_array_equal(text.tokens, [1, 5, 4, 2, 1, 4, 6, 4, 2])
    assert (text.n_types, text.n_outside) == (7, 2)


def test_the_most_frequent_words_are_known_and_of_equals_the_first() -> None:
    assert index_text(SEGMENTS, n_words=2).vocabulary.words[3:] == ("A", "B")
    assert index_text(SEGMENTS, min_count=2).vocabulary.words[3:] == ("A",)
    assert index_text(SEGMENTS, n_words=9).vocabulary.words[3:] == ("A", "B", "C")


def test_a_text_is_numbered_in_portions_as_if_in_one() -> None:
    once = index_text(SEGMENTS)
    often = index_text(SEGMENTS * 12_000)
    np.testing.assert_array_equal(often.tokens, np.tile(once.tokens, 12_000))


@pytest.mark.parametrize("segments", [[], ["\n", " "]])
def test_a_text_without_a_word_is_refused(segments: list[str]) -> None:
    with pytest.raises(DataError, match="without a word"):
        index_text(segments)


@pytest.mark.parametrize("word", ["<s>", "</s>", "<unk>", "<UNK>"])
def test_a_text_that_spells_a_special_word_is_refused_and_quoted(word: str) -> None:
    with pytest.raises(DataError, match=rf"got the reserved '{word}' in 'A {word} B'"):
        index_text([f"A {word} B\n"])
