import numpy as np

from asr.report.breakdown import by_speaker, by_value
from asr.wer.interval import errors_and_units
from asr.wer.nist import Segment
from asr.wer.score import Score, score


def scored(n: int, *, n_speakers: int) -> Score:
    """Score utterances of 1 to n words; in those of more than ten, the first word is wrong."""
    said = {i: " ".join(["word"] * i) for i in range(1, n + 1)}
    spoken = [Segment(str(i), text, f"s{i % n_speakers}") for i, text in said.items()]
    recognised = {s.id: s.text.replace("word", "x", int(s.id) > 10) for s in spoken}
    return score(spoken, recognised, "verbatim-1")


def test_strata_hold_about_as_many_utterances_each_and_all_errors() -> None:
    result = scored(40, n_speakers=4)
    counts = errors_and_units(result, "wer")

    strata = by_value(result, counts[:, 1].astype(np.float64), counts)

    assert [one.n_utterances for one in strata] == [10, 10, 10, 10]
    assert [(one.low, one.high) for one in strata] == [(1, 10), (11, 20), (21, 30), (31, 40)]
    assert [one.n_units for one in strata] == [55, 155, 255, 355]
    assert [one.rate for one in strata] == [0.0, 10 / 155, 10 / 255, 10 / 355]
    for one in strata:
        assert one.interval is not None
        assert one.interval.low <= one.rate <= one.interval.high


def test_utterances_of_unknown_value_are_in_no_stratum() -> None:
    result = scored(40, n_speakers=4)
    values = np.array([float(i) if i <= 20 else np.nan for i in range(1, 41)])

    strata = by_value(result, values, errors_and_units(result, "wer"))

    assert sum(one.n_utterances for one in strata) == 20
    assert strata[-1].high == 20


def test_words_heard_where_none_were_said_widen_the_interval() -> None:
    """They are errors of a stratum, though they add no words to divide by."""
    spoken = [Segment(str(i), "" if i % 4 == 0 else "a b c d") for i in range(40)]
    recognised = {one.id: one.text or "x x x x x x" for one in spoken}
    result = score(spoken, recognised, "verbatim-1")

    for one in by_value(result, np.arange(40.0), errors_and_units(result, "wer")):
        assert one.interval is not None
        assert one.interval.low <= one.rate <= one.interval.high
        assert one.interval.high > one.rate > 0


def test_a_stratum_of_few_speakers_resamples_its_utterances() -> None:
    """As a subset of few does: two speakers have no spread to speak of, and one has none."""
    result = scored(120, n_speakers=12)
    speakers = np.array([float((u.speaker or "s0")[1:]) for u in result.utterances])

    for values, resampled in ((speakers, "utterances"), (np.arange(120.0), "speakers")):
        strata = by_value(result, values, errors_and_units(result, "wer"))
        assert {one.interval and one.interval.resampled for one in strata} == {resampled}


def test_values_that_are_all_equal_or_too_few_have_no_strata() -> None:
    result = scored(40, n_speakers=4)

    assert by_value(result, np.ones(40), errors_and_units(result, "wer")) == []
    few = scored(15, n_speakers=2)
    assert by_value(few, np.arange(15.0), errors_and_units(few, "wer")) == []


def test_speakers_come_with_the_best_first() -> None:
    speakers = by_speaker(scored(40, n_speakers=4))

    rates = [one.rate for _, one in speakers]
    assert sorted(name for name, _ in speakers) == ["s0", "s1", "s2", "s3"]
    assert rates == sorted(rates)
    assert [one.low for _, one in speakers] == [1, 2, 3, 4]


def test_a_speaker_without_reference_words_has_no_rate() -> None:
    result = score([Segment("a", "", "quiet"), Segment("b", "x", "loud")], {}, "verbatim-1")

    assert [name for name, _ in by_speaker(result)] == ["loud"]
