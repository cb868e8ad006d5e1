from pathlib import Path

import numpy as np
import pytest

from asr.confidence.labels import label_words
from asr.corpus.utterance import Utterance
from asr.errors import DataError
from asr.text.transcript import Transcript, Word


def reference(name: str, text: str | None, speaker: str | None = "anna") -> Utterance:
    return Utterance(name, Path("a.wav"), text=text, speaker=speaker)


def hypothesis(name: str, *words: str, confidence: float | None = 0.5) -> Transcript:
    timed = [Word(word, i, i + 0.25, confidence) for i, word in enumerate(words)]
    return Transcript(name, " ".join(words), words=tuple(timed))


def test_a_word_is_correct_if_the_reference_has_it_there() -> None:
    hypotheses = {"a": hypothesis("a", "the", "hat", "sat", "down"), "b": hypothesis("b", "no")}

    words = label_words(
        [reference("a", "the cat sat"), reference("b", "no", "bert")], hypotheses, "verbatim-1"
    )

    assert words.is_correct.tolist() == [True, False, True, False, True]
    assert words.letters.tolist() == [3, 3, 3, 4, 2]
    assert words.seconds.tolist() == [0.25] * 5
    assert words.confidences.tolist() == [0.5] * 5
    assert words.groups == ("anna", "anna", "anna", "anna", "bert")
    assert len(words) == 5


def test_both_sides_go_through_the_normaliser_word_by_word() -> None:
    hypotheses = {"a": hypothesis("a", "well-known", "-", "caf\u00e9")}

    words = label_words([reference("a", "Well KNOWN, cafe")], hypotheses, "librispeech-1")

    assert words.is_correct.tolist() == [True, True]
    assert words.letters.tolist() == [10, 4]


def test_a_word_that_is_half_correct_is_wrong() -> None:
    words = label_words(
        [reference("a", "WELL")], {"a": hypothesis("a", "well-known")}, "librispeech-1"
    )

    assert words.is_correct.tolist() == [False]


def test_empty_and_missing_hypotheses_and_those_without_reference_have_no_words() -> None:
    references = [
        reference("a", "one"),
        reference("b", "two"),
        reference("c", "three"),
        reference("d", ""),
    ]
    hypotheses = {"a": hypothesis("a"), "c": hypothesis("c", "three"), "z": hypothesis("z", "four")}

    words = label_words(references, {**hypotheses, "d": hypothesis("d", "five")}, "verbatim-1")

    assert words.is_correct.tolist() == [True, False]


def test_words_are_grouped_by_utterance_if_a_speaker_is_unknown() -> None:
    references = [reference("a", "one"), reference("b", "two", None)]

    words = label_words(
        references, {"a": hypothesis("a", "one"), "b": hypothesis("b", "two")}, "verbatim-1"
    )

    assert words.groups == ("a", "b")
    assert words[np.array([False, True])].groups == ("b",)


def test_words_are_grouped_by_utterance_if_all_are_of_one_speaker() -> None:
    references = [reference("a", "one"), reference("b", "two")]

    words = label_words(
        references, {"a": hypothesis("a", "one"), "b": hypothesis("b", "two")}, "verbatim-1"
    )

    assert words.groups == ("a", "b")


@pytest.mark.parametrize(
    ("reference", "hypothesis", "reason"),
    [
        (reference("a", None), hypothesis("a", "one"), "a has no text"),
        (
            reference("a", "one"),
            hypothesis("a", "one", confidence=None),
            "confidence from 0 to 1 of 'one'",
        ),
        (reference("a", "one"), hypothesis("a", "one", confidence=1.5), "of 'one', got 1.5"),
        (reference("a", "one"), Transcript("a", "one"), "a has a text, but no words"),
        (reference("a", "one"), hypothesis("a"), "no recognised word"),
        (reference("a", "one"), hypothesis("b", "one"), "no recognised word"),
    ],
)
def test_unusable_data_is_refused(
    reference: Utterance, hypothesis: Transcript, reason: str
) -> None:
    with pytest.raises(DataError, match=reason):
        label_words([reference], {hypothesis.id: hypothesis}, "verbatim-1")
