from hypothesis import given
from hypothesis import strategies as st

from asr.report.side_by_side import side_by_side
from asr.wer.alignment import count_errors

TEXTS = st.lists(st.sampled_from(["A", "BE", "SEA", "DEED"]), max_size=12).map(" ".join)


def test_each_error_is_marked_below_its_word() -> None:
    # two lost, three -> too (as sclite aligns it), six added
    assert side_by_side("ONE TWO THREE FOUR FIVE", "ONE TOO FOUR FIVE SIX") == (
        "REF  ONE TWO THREE FOUR FIVE ***\n"
        "HYP  ONE *** TOO   FOUR FIVE SIX\n"
        "         D   S               I"
    )


def test_long_texts_are_broken_between_words() -> None:
    assert side_by_side("AA BB CC", "AA BB CD", width=5) == (
        "REF  AA BB\nHYP  AA BB\n\n\nREF  CC\nHYP  CD\n     S"
    )


def test_a_line_is_no_wider_than_the_page() -> None:
    text = " ".join(["AB"] * 30)

    words = [line[5:] for line in side_by_side(text, text, width=10).splitlines()]

    assert max(map(len, words)) == 8  # three words; a fourth would make 11


def test_a_word_wider_than_the_page_has_its_line_alone() -> None:
    assert side_by_side("AAAAAAA B", "AAAAAAA B", width=4).splitlines()[0] == "REF  AAAAAAA"


def test_empty_texts_give_one_block_without_words() -> None:
    assert side_by_side("", "") == "REF\nHYP\n"


@given(TEXTS, TEXTS)
def test_the_lines_spell_both_texts_and_mark_every_error(reference: str, hypothesis: str) -> None:
    shown = side_by_side(reference, hypothesis, width=12)

    lines = [line.split() for line in shown.splitlines()]
    above = [word for line in lines if line[:1] == ["REF"] for word in line[1:]]
    below = [word for line in lines if line[:1] == ["HYP"] for word in line[1:]]
    marks = [mark for line in lines if line[:1] not in (["REF"], ["HYP"]) for mark in line]
    assert [word for word in above if "*" not in word] == reference.split()
    assert [word for word in below if "*" not in word] == hypothesis.split()
    assert len(marks) == count_errors(reference, hypothesis).errors
    assert len(above) == len(below)
