import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asr.wer.alignment import Counts, Edit, EditKind, align_words, count_errors

TEXTS = st.lists(st.sampled_from(["A", "B", "C", "DE"]), max_size=8).map(" ".join)


def edit_distance(reference: list[str], hypothesis: list[str]) -> int:
    """Slow and obvious: the recursion of Levenshtein, filled row by row."""
    row = list(range(len(hypothesis) + 1))
    for i, spoken in enumerate(reference, start=1):
        above, row = row, [i]
        for j, recognised in enumerate(hypothesis, start=1):
            diagonal = above[j - 1] + (spoken != recognised)
            row.append(min(diagonal, above[j] + 1, row[j - 1] + 1))
    return row[-1]


def test_one_of_each_error_is_counted_as_such() -> None:
    # two -> too, three lost, six added; no other alignment has as few as three errors
    counts = count_errors("one two three four five", "one too four five six")

    assert counts == Counts(hits=3, substitutions=1, deletions=1, insertions=1)
    assert (counts.errors, counts.n_reference) == (3, 5)
    assert counts.rate == 3 / 5


def test_characters_count_the_space_between_two_words() -> None:
    assert count_errors("AB C", "ABC", unit="character") == Counts(hits=3, deletions=1)


def test_white_space_beyond_one_space_between_words_does_not_count() -> None:
    for unit in ("word", "character"):
        assert count_errors(" A \t B\n", "A B", unit=unit).errors == 0


def test_identical_texts_have_rate_zero() -> None:
    assert count_errors("A B", "A B").rate == 0.0


def test_an_empty_hypothesis_deletes_every_word() -> None:
    assert count_errors("A B C", "") == Counts(deletions=3)
    assert count_errors("A B C", "").rate == 1.0


def test_an_empty_reference_makes_every_word_an_insertion() -> None:
    counts = count_errors("", "A B")

    assert counts == Counts(insertions=2)
    assert counts.rate == float("inf")


def test_two_empty_texts_have_no_error_and_rate_zero() -> None:
    assert count_errors("", " ") == Counts()
    assert Counts().rate == 0.0


def test_insertions_can_take_the_rate_beyond_one() -> None:
    assert count_errors("A", "B C D").rate == 3.0


def test_counts_add_up_field_by_field() -> None:
    assert Counts(1, 2, 3, 4) + Counts(10, 20, 30, 40) == Counts(11, 22, 33, 44)
    assert sum([Counts(1, 0, 0, 0), Counts(0, 1, 0, 0)], Counts()) == Counts(1, 1, 0, 0)


def test_a_rate_of_sums_is_not_the_mean_of_rates() -> None:
    short, long = count_errors("A", "B"), count_errors("A B C D E F G H I", "A B C D E F G H I")

    assert (short + long).rate == pytest.approx(0.1)


def test_alignment_pairs_every_word_in_order() -> None:
    assert align_words("one two three four five", "one too four five six") == [
        Edit(EditKind.HIT, "one", "one"),
        Edit(EditKind.SUBSTITUTION, "two", "too"),
        Edit(EditKind.DELETION, "three", ""),
        Edit(EditKind.HIT, "four", "four"),
        Edit(EditKind.HIT, "five", "five"),
        Edit(EditKind.INSERTION, "", "six"),
    ]


def test_alignment_of_two_empty_texts_is_empty() -> None:
    assert align_words("", "") == []


@given(TEXTS, TEXTS)
@settings(deadline=None)  # a busy machine is no failure
def test_errors_are_the_least_possible(reference: str, hypothesis: str) -> None:
    assert count_errors(reference, hypothesis).errors == edit_distance(
        reference.split(), hypothesis.split()
    )
    assert count_errors(reference, hypothesis, unit="character").errors == edit_distance(
        list(reference), list(hypothesis)
    )


@given(TEXTS, TEXTS)
@settings(deadline=None)  # a busy machine is no failure
def test_counts_account_for_every_word_of_both_texts(reference: str, hypothesis: str) -> None:
    counts = count_errors(reference, hypothesis)

    assert counts.n_reference == len(reference.split())
    assert counts.n_reference - counts.deletions + counts.insertions == len(hypothesis.split())


@given(TEXTS, TEXTS)
@settings(deadline=None)  # a busy machine is no failure
def test_the_alignment_spells_both_texts_and_has_the_counts(
    reference: str, hypothesis: str
) -> None:
    edits = align_words(reference, hypothesis)
    counts = count_errors(reference, hypothesis)

    assert [edit.reference for edit in edits if edit.reference] == reference.split()
    assert [edit.hypothesis for edit in edits if edit.hypothesis] == hypothesis.split()
    kinds = [edit.kind for edit in edits]
    assert kinds.count(EditKind.HIT) == counts.hits
    assert kinds.count(EditKind.SUBSTITUTION) == counts.substitutions
    assert kinds.count(EditKind.DELETION) == counts.deletions
    assert kinds.count(EditKind.INSERTION) == counts.insertions
