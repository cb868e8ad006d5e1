import pytest

from asr.wer.alignment import Counts
from asr.wer.interval import MIN_SPEAKERS, Interval, rate_interval
from asr.wer.score import Score, UtteranceScore


def utterance(name: str, errors: int, words: int, speaker: str | None = None) -> UtteranceScore:
    counts = Counts(words - errors, errors)
    return UtteranceScore(name, speaker, "", "", counts, Counts())


def subset(*errors: int, words: int = 10, speakers: int = 0) -> Score:
    return Score(
        "verbatim-1",
        tuple(
            utterance(str(i), e, words, f"s{i % speakers:03}" if speakers else None)
            for i, e in enumerate(errors)
        ),
    )


def wer_interval(score: Score) -> Interval | None:
    return rate_interval(score, "wer")


def test_the_same_score_gives_the_same_interval() -> None:
    assert wer_interval(subset(1, 4, 0, 2, 7, 3)) == wer_interval(subset(1, 4, 0, 2, 7, 3))


def test_the_interval_holds_the_wer_and_lies_within_the_rates_of_the_utterances() -> None:
    score = subset(1, 4, 0, 2, 7, 3)

    interval = wer_interval(score)

    assert interval is not None
    assert 0.0 <= interval.low < score.total.wer < interval.high <= 0.7


def test_identical_utterances_give_an_interval_of_width_zero() -> None:
    interval = wer_interval(subset(2, 2, 2))

    assert interval is not None
    assert (interval.low, interval.high) == (0.2, 0.2)


def test_the_interval_agrees_with_the_normal_approximation() -> None:
    # 400 utterances of one word, a quarter wrong: a binomial with a standard error of 2.17 %
    interval = wer_interval(subset(*[1, 0, 0, 0] * 100, words=1))

    assert interval is not None
    assert interval.low == pytest.approx(0.25 - 1.96 * 0.02165, abs=0.005)
    assert interval.high == pytest.approx(0.25 + 1.96 * 0.02165, abs=0.005)


def test_whole_speakers_are_resampled_if_there_are_enough() -> None:
    # each speaker is all right or all wrong, so speakers differ far more than chance would have it
    errors = [0 if i % MIN_SPEAKERS < MIN_SPEAKERS / 2 else 10 for i in range(20 * MIN_SPEAKERS)]

    by_speaker = wer_interval(subset(*errors, speakers=MIN_SPEAKERS))
    by_utterance = wer_interval(subset(*errors, speakers=MIN_SPEAKERS - 1))

    assert by_speaker is not None
    assert by_utterance is not None
    assert (by_speaker.resampled, by_speaker.n_resampled) == ("speakers", MIN_SPEAKERS)
    assert (by_utterance.resampled, by_utterance.n_resampled) == ("utterances", len(errors))
    assert by_speaker.high - by_speaker.low > 3 * (by_utterance.high - by_utterance.low)


def test_utterances_are_resampled_if_a_speaker_is_unknown() -> None:
    known = subset(*[1, 2] * MIN_SPEAKERS, speakers=MIN_SPEAKERS)
    score = Score(known.normaliser, (*known.utterances, utterance("?", 1, 10)))

    interval = wer_interval(score)

    assert interval is not None
    assert interval.resampled == "utterances"


def test_one_utterance_has_no_interval() -> None:
    assert wer_interval(subset(3)) is None


def test_a_subset_without_words_has_no_interval() -> None:
    assert wer_interval(subset(0, 0, words=0)) is None


def test_replicates_without_a_reference_word_are_left_out() -> None:
    score = Score("verbatim-1", (utterance("spoken", 1, 4), utterance("silent", 0, 0)))

    interval = wer_interval(score)

    assert interval is not None
    assert (interval.low, interval.high) == (0.25, 0.25)
