from pathlib import Path

import numpy as np
import pytest

from asr.confidence.judged import judge
from asr.corpus.utterance import Utterance
from asr.errors import DataError
from asr.text.transcript import Transcript, Word


def said(name: str, text: str | None, speaker: str | None = "anna") -> Utterance:
    return Utterance(name, Path("a.wav"), text=text, speaker=speaker)


def heard(name: str, *words: str, confidence: float | None = 0.5) -> Transcript:
    timed = [Word(word, i, i + 0.25, confidence) for i, word in enumerate(words)]
    return Transcript(name, " ".join(words), words=tuple(timed))


def test_a_word_is_right_if_the_reference_has_it_there() -> None:
    hypotheses = {"a": heard("a", "the", "hat", "sat", "down"), "b": heard("b", "no")}

    words = judge([said("a", "the cat sat"), said("b", "no", "bert")], hypotheses, "verbatim-1")

    assert words.is_right.tolist() == [True, False, True, False, True]
    assert words.letters.tolist() == [3, 3, 3, 4, 2]
    assert words.seconds.tolist() == [0.25] * 5
    assert words.confidences.tolist() == [0.5] * 5
    assert words.sources == ("anna", "anna", "anna", "anna", "bert")
    assert len(words) == 5


def test_both_sides_go_through_the_normaliser_word_by_word() -> None:
    hypotheses = {"a": heard("a", "well-known", "-", "caf\u00e9")}

    words = judge([said("a", "Well KNOWN, cafe")], hypotheses, "librispeech-1")

    assert words.is_right.tolist() == [True, True]
    assert words.letters.tolist() == [10, 4]


def test_a_word_that_is_half_right_is_wrong() -> None:
    words = judge([said("a", "WELL")], {"a": heard("a", "well-known")}, "librispeech-1")

    assert words.is_right.tolist() == [False]


def test_empty_and_missing_hypotheses_and_those_without_reference_have_no_words() -> None:
    references = [said("a", "one"), said("b", "two"), said("c", "three"), said("d", "")]
    hypotheses = {"a": heard("a"), "c": heard("c", "three"), "z": heard("z", "four")}

    words = judge(references, {**hypotheses, "d": heard("d", "five")}, "verbatim-1")

    assert words.is_right.tolist() == [True, False]


def test_where_not_all_speakers_are_known_utterances_take_their_place() -> None:
    references = [said("a", "one"), said("b", "two", None)]

    words = judge(references, {"a": heard("a", "one"), "b": heard("b", "two")}, "verbatim-1")

    assert words.sources == ("a", "b")
    assert words[np.array([False, True])].sources == ("b",)


@pytest.mark.parametrize(
    ("reference", "hypothesis", "reason"),
    [
        (said("a", None), heard("a", "one"), "a has no text"),
        (said("a", "one"), heard("a", "one", confidence=None), "confidence from 0 to 1 of 'one'"),
        (said("a", "one"), heard("a", "one", confidence=1.5), "of 'one', got 1.5"),
        (said("a", "one"), Transcript("a", "one"), "a has a text, but no words"),
        (said("a", "one"), heard("a"), "no recognised word"),
        (said("a", "one"), heard("b", "one"), "no recognised word"),
    ],
)
def test_what_teaches_nothing_is_refused(
    reference: Utterance, hypothesis: Transcript, reason: str
) -> None:
    with pytest.raises(DataError, match=reason):
        judge([reference], {hypothesis.id: hypothesis}, "verbatim-1")
