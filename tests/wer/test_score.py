from collections.abc import Sequence
from pathlib import Path

import pytest

from asr.corpus.utterance import Utterance
from asr.errors import DataError
from asr.wer.alignment import Counts
from asr.wer.score import score


def spoken(name: str, text: str | None, speaker: str | None = None) -> Utterance:
    return Utterance(name, Path("a.wav"), text=text, speaker=speaker)


TWO = (spoken("a", "THE CAT SAT", "anna"), spoken("b", "ON MATS", "ben"))


def test_totals_are_sums_over_utterances_divided_once() -> None:
    result = score(TWO, {"a": "THE CAT SAT", "b": "ON"}, "verbatim-1")

    assert result.total.words == Counts(hits=4, deletions=1)
    assert result.total.wer == 1 / 5  # not (0/3 + 1/2) / 2
    assert result.total.n_utterances == 2


def test_characters_are_counted_beside_words() -> None:
    result = score([spoken("a", "CAT SAT")], {"a": "CAD SAT"}, "verbatim-1")

    assert result.total.characters == Counts(hits=6, substitutions=1)
    assert result.total.cer == 1 / 7


def test_the_order_is_that_of_the_references() -> None:
    result = score(TWO, {"b": "ON MATS", "a": "THE CAT SAT"}, "verbatim-1")

    assert [utterance.id for utterance in result.utterances] == ["a", "b"]


def test_a_missing_hypothesis_is_all_deletions_and_is_listed() -> None:
    result = score(TWO, {"a": "THE CAT SAT"}, "verbatim-1")

    assert result.missing == ("b",)
    assert result.utterances[1].hypothesis is None
    assert result.utterances[1].words == Counts(deletions=2)
    assert result.total.wer == 2 / 5


def test_an_empty_hypothesis_is_not_a_missing_one() -> None:
    result = score(TWO, {"a": "", "b": "ON MATS"}, "verbatim-1")

    assert result.missing == ()
    assert result.utterances[0].words == Counts(deletions=3)


def test_extra_hypotheses_are_listed_but_not_counted() -> None:
    exact = {"a": "THE CAT SAT", "b": "ON MATS"}

    result = score(TWO, {**exact, "z": "NOT", "y": "SAID"}, "verbatim-1")

    assert result.extra == ("z", "y")
    assert result.total == score(TWO, exact, "verbatim-1").total


def test_an_empty_reference_counts_every_word_as_inserted() -> None:
    result = score([*TWO, spoken("c", "")], {"a": "", "b": "", "c": "UH HUH"}, "verbatim-1")

    assert result.utterances[2].words == Counts(insertions=2)
    assert result.total.wer == 7 / 5


def test_a_subset_without_any_word_has_a_defined_rate() -> None:
    assert score([spoken("c", "")], {"c": ""}, "verbatim-1").total.wer == 0.0
    assert score([spoken("c", "")], {"c": "UH"}, "verbatim-1").total.wer == float("inf")


def test_the_normaliser_is_applied_to_both_sides_and_named() -> None:
    result = score(
        [spoken("a", "Don\u2019t   stop!"), spoken("b", "DON'T STOP")],
        {"a": "DON'T STOP", "b": "Don\u2019t, stop."},
        "librispeech-1",
    )

    assert result.total.words == Counts(hits=4)
    assert result.normaliser == "librispeech-1"
    assert {utterance.reference for utterance in result.utterances} == {"DON'T STOP"}
    assert {utterance.hypothesis for utterance in result.utterances} == {"DON'T STOP"}


def test_a_reference_that_normalises_to_nothing_is_an_empty_reference() -> None:
    result = score([spoken("a", "...")], {"a": "UH"}, "librispeech-1")

    assert result.total.words == Counts(insertions=1)


def test_speakers_add_up_to_the_total_in_the_order_of_their_names() -> None:
    references = [
        spoken("1", "A B", "zoe"),
        spoken("2", "C", "anna"),
        spoken("3", "D E", "zoe"),
    ]

    result = score(references, {"1": "A", "2": "X", "3": "D E"}, "verbatim-1")
    speakers = result.by_speaker()

    assert list(speakers) == ["anna", "zoe"]
    assert speakers["zoe"].words == Counts(hits=3, deletions=1)
    assert speakers["zoe"].n_utterances == 2
    assert speakers["anna"].words == Counts(substitutions=1)
    assert sum((s.words for s in speakers.values()), Counts()) == result.total.words
    assert sum((s.characters for s in speakers.values()), Counts()) == result.total.characters


def test_utterances_without_a_speaker_belong_to_none() -> None:
    result = score([spoken("1", "A")], {"1": "A"}, "verbatim-1")

    assert result.by_speaker() == {}


@pytest.mark.parametrize(
    ("references", "message"),
    [
        ([], "got none"),
        ([spoken("a", None)], "utterance a has no text"),
        ([spoken("a", "X"), spoken("a", "Y")], "two references have the id a"),
    ],
)
def test_references_that_cannot_be_scored_against_are_refused(
    references: Sequence[Utterance], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        score(references, {}, "verbatim-1")


def test_an_unknown_normaliser_is_refused_by_name() -> None:
    with pytest.raises(DataError, match="whisper-9"):
        score(TWO, {}, "whisper-9")
