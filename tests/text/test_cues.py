from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.text.cues import MAX_CUE, MAX_LINE, MIN_CUE, Interval, cues_of


@st.composite
def spoken_words(draw: st.DrawFn) -> list[Interval]:
    """Words of any lengths after gaps of any lengths, none of which overlap."""
    texts = st.text("ab.,", min_size=1, max_size=draw(st.sampled_from([3, 10, 50])))
    rows = draw(st.lists(st.tuples(texts, st.integers(0, 1500), st.integers(0, 9000)), max_size=40))
    is_slow, now, words = draw(st.booleans()), 0, []
    for text, gap, duration in rows:
        start = now + (gap if is_slow else gap // 30)
        now = start + (duration if is_slow else duration // 30)
        words.append(Interval(text, start, now))
    return words


@given(spoken_words())
def test_all_words_are_shown_in_their_order(words: list[Interval]) -> None:
    cues = cues_of(words)
    assert [word for cue in cues for word in cue.words] == words
    assert [cue.text for cue in cues] == [" ".join(w.text for w in cue.words) for cue in cues]


@given(spoken_words())
def test_a_cue_has_at_most_two_lines_that_a_screen_can_show(words: list[Interval]) -> None:
    for cue in cues_of(words):
        assert len(cue.lines) in (1, 2)
        assert all(len(line) <= MAX_LINE or " " not in line for line in cue.lines)


@given(spoken_words())
def test_cues_follow_one_another_and_none_vanishes_at_once(words: list[Interval]) -> None:
    cues = cues_of(words)
    assert all(0 < cue.end - cue.start <= MAX_CUE for cue in cues)
    assert all(left.end <= right.start for left, right in pairwise(cues))


@given(spoken_words())
def test_only_a_cue_between_two_others_lasts_less_than_a_second(words: list[Interval]) -> None:
    cues = cues_of(words)
    for n, cue in enumerate(cues):
        if cue.end - cue.start < MIN_CUE:
            assert n + 1 < len(cues)
            assert cues[n + 1].words[0].start <= cue.end
            assert cue.start == (cues[n - 1].end if n else 0)


def test_the_end_of_a_sentence_is_not_worth_a_cue_of_less_than_a_second() -> None:
    words = [
        *(Interval("So", 0, 239), Interval("the", 239, 337), Interval("expenditures", 337, 465)),
        *(Interval("accumulated,", 465, 723), Interval("then.", 723, 994)),  # a sentence ends
        *(Interval("Nobody", 994, 1346), Interval("knew,", 1446, 2029)),
        *(Interval("although", 2029, 2418), Interval("almost", 3118, 3383)),
        *(Interval("everyone", 3383, 3481), Interval("guessed,", 3481, 3933)),
    ]
    assert [cue for cue in cues_of(words) if cue.end - cue.start < MIN_CUE] == []


@given(spoken_words(), st.integers(1, 10_000))
def test_speech_at_another_time_is_broken_alike(words: list[Interval], later: int) -> None:
    moved = [Interval(word.text, word.start + later, word.end + later) for word in words]
    sizes = [[len(cue.words) for cue in cues_of(each)] for each in (words, moved)]
    assert sizes[0] == sizes[1]


def said(text: str, *, pauses: dict[int, int] | None = None) -> list[Interval]:
    """Words of 300 ms, with pauses, in ms, before some of them."""
    now, words = 0, []
    for n, word in enumerate(text.split()):
        now += (pauses or {}).get(n, 0)
        words.append(Interval(word, now, now + 300))
        now += 300
    return words


def test_a_cue_ends_where_the_speaker_pauses() -> None:
    words = said("one two three four five six seven eight " * 3, pauses={9: 500})
    assert [len(cue.words) for cue in cues_of(words)] == [9, 15]


def test_a_cue_ends_with_a_sentence_rather_than_a_clause_rather_than_a_word() -> None:
    for sign in (".", ","):
        text = f"one two three four five six seven eight nine ten{sign} " * 2
        assert [len(cue.words) for cue in cues_of(said(text))] == [10, 10]


def test_no_word_is_left_alone_where_cues_can_share() -> None:
    for n in range(10, 200):
        cues = cues_of(said("word " * n))
        assert min(len(cue.words) for cue in cues) >= 5


def test_two_lines_are_as_equal_as_can_be() -> None:
    (cue,) = cues_of(said("the quick brown fox jumps over the lazy dog again"))
    assert cue.lines == ("the quick brown fox jumps", "over the lazy dog again")


def test_a_word_in_silence_stays_for_a_second_and_not_longer() -> None:
    words = said("one two three", pauses={1: 60_000, 2: 60_000})
    assert [cue.end - cue.start for cue in cues_of(words)] == [MIN_CUE] * 3


@pytest.mark.parametrize("seconds", [8, 51])
def test_a_word_that_seems_to_last_over_a_silence_does_not_stay(seconds: int) -> None:
    (cue,) = cues_of([Interval("HM", 0, seconds * 1000)])
    assert cue.end == MAX_CUE


def test_a_word_without_length_at_the_end_is_shown() -> None:
    (cue,) = cues_of([Interval("HM", 500, 500)])
    assert (cue.start, cue.end) == (500, 1500)
