import pytest

from asr.errors import DataError
from asr.wer.alignment import Counts, Edit, EditKind, align_words, count_all
from asr.wer.network import normalise_markup

# From sclite 2.10 (Debian's sctk 2.4.10), sclite -i spu_id -s -D: its own test cases in tests.ref
# and tests.hyp, with hits, substitutions, deletions and insertions of each.
SCLITE = [
    ("a b { c d / c / e } e f g", "a b c d e f g", (7, 0, 0, 0)),
    ("a b { c / e / c d } f g", "a b c d e f g", (6, 0, 0, 1)),
    ("a b c d e { e / c / @ } f g", "a b c d e f g", (7, 0, 0, 0)),
    ("a { b / cd / { g h i / gh i / g ih} bd } { e { i n / th } f / ef }", "a gh i bd e i th f",
     (7, 0, 0, 1)),
    ("{the / this} is the tea", "th is is th en", (1, 3, 0, 1)),
    ("a d @ e", "a d e", (3, 0, 0, 0)),
    ("b (c) d", "b e", (2, 1, 0, 0)),
    ("b (c) d", "b c e", (2, 1, 0, 0)),
    ("b (c) d", "b c i e", (2, 1, 0, 1)),
    ("b (c) d", "b s i e", (1, 2, 0, 1)),
    ("b (c) d", "e", (1, 1, 1, 0)),
    ("(a) c (b) d e", "s s s", (2, 3, 0, 0)),
    # made up, and scored with the same program
    ("{ b d / @ } a c { c / @ / d } { @ / b a }", "b d a d b a", (6, 0, 1, 0)),
]  # fmt: skip


@pytest.mark.parametrize(("reference", "hypothesis", "counts"), SCLITE)
def test_alternatives_and_optional_words_count_as_in_sclite(
    reference: str, hypothesis: str, counts: tuple[int, int, int, int]
) -> None:
    marked = normalise_markup(reference, str)

    assert count_all([marked], [hypothesis], has_markup=True) == [Counts(*counts)]


def test_an_alignment_has_the_words_of_the_chosen_alternative() -> None:
    edits = align_words("{ I AM / I'M } (UH) FINE", "I'M FINE", has_markup=True)

    assert edits == [
        Edit(EditKind.HIT, "I'M", "I'M"),
        Edit(EditKind.OMISSION, "UH", ""),
        Edit(EditKind.HIT, "FINE", "FINE"),
    ]


def test_marks_survive_the_normaliser_and_words_do_not_join_them() -> None:
    assert normalise_markup("{i'm/ i am } (uh) and/or @", str.upper) == (
        "{ I'M / I AM } (UH) AND/OR @"
    )


def test_nothing_said_and_nothing_heard_is_no_hit() -> None:
    (counts,) = count_all(["{ A / @ } X"], ["{ B / @ } X"], has_markup=True)

    assert counts == Counts(1, 0, 0, 0)


@pytest.mark.parametrize("text", ["{ a / b", "a } b", "{ a { b } c"])
def test_a_brace_without_its_counterpart_is_refused(text: str) -> None:
    with pytest.raises(DataError, match="as many"):
        normalise_markup(text, str)


def test_without_markup_braces_are_words_like_others() -> None:
    assert count_all(["{ a / b }"], ["a"]) == [Counts(hits=1, deletions=4)]
