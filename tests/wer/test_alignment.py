import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.wer import alignment
from asr.wer.alignment import Counts, Edit, EditKind, align_words, count_all, count_errors

TEXTS = st.lists(st.sampled_from(["A", "B", "C", "DE"]), max_size=8).map(" ".join)


def lowest_cost(reference: list[str], hypothesis: list[str]) -> int:
    """Slow and obvious: the recursion of Levenshtein with sclite's costs, filled row by row."""
    row = [3 * j for j in range(len(hypothesis) + 1)]
    for i, spoken in enumerate(reference, start=1):
        above, row = row, [3 * i]
        for j, recognised in enumerate(hypothesis, start=1):
            diagonal = above[j - 1] + 4 * (spoken != recognised)
            row.append(min(diagonal, above[j] + 3, row[j - 1] + 3))
    return row[-1]


def cost(counts: Counts) -> int:
    return 4 * counts.substitutions + 3 * (counts.deletions + counts.insertions)


def test_one_of_each_error_is_counted_as_such() -> None:
    # two -> too, three lost, six added; no other alignment costs as little
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
        Edit(EditKind.DELETION, "two", ""),
        Edit(EditKind.SUBSTITUTION, "three", "too"),
        Edit(EditKind.HIT, "four", "four"),
        Edit(EditKind.HIT, "five", "five"),
        Edit(EditKind.INSERTION, "", "six"),
    ]


def test_alignment_of_two_empty_texts_is_empty() -> None:
    assert align_words("", "") == []


@given(TEXTS, TEXTS)
def test_the_alignment_is_the_cheapest(reference: str, hypothesis: str) -> None:
    words, characters = (
        count_errors(reference, hypothesis, unit=unit) for unit in ("word", "character")
    )
    assert cost(words) == lowest_cost(reference.split(), hypothesis.split())
    assert cost(characters) == lowest_cost(list(reference), list(hypothesis))


@given(TEXTS, TEXTS)
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


def test_few_substitutions_weigh_more_than_few_errors() -> None:
    # five substitutions cost 20, a shift by three words 18, though it has six errors
    counts = count_errors("x y z a b", "a b u v w")

    assert counts == Counts(hits=2, deletions=3, insertions=3)


@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=5))
def test_many_pairs_are_counted_as_each_alone(pairs: list[tuple[str, str]]) -> None:
    references, hypotheses = [[pair[side] for pair in pairs] for side in (0, 1)]

    for unit in ("word", "character"):
        together = count_all(references, hypotheses, unit=unit)
        assert together == [count_errors(*pair, unit=unit) for pair in pairs]


def test_more_texts_than_are_aligned_at_once_keep_their_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(alignment, "_AT_ONCE", 10)
    references = ["a b c", "a", "", "a b c d e f g h", "b"]

    counts = count_all(references, [""] * 5)

    assert [c.deletions for c in counts] == [3, 1, 0, 8, 1]


def test_a_text_of_a_million_characters_is_counted() -> None:
    """A whole book as one utterance; its cost once overflowed."""
    assert count_errors("A" * 1_000_000, "A", unit="character") == Counts(1, deletions=999_999)


def test_match_error_rate_and_lost_information_are_shares_of_what_was_aligned() -> None:
    # Morris, Maier and Green (2004): with H = 2, S = 1, D = 1, I = 1, reference 4, hypothesis 4
    counts = Counts(hits=2, substitutions=1, deletions=1, insertions=1)

    assert counts.match_error_rate == 3 / 5
    assert counts.information_lost == 1 - (2 / 4) * (2 / 4)
    assert Counts(insertions=2).match_error_rate == Counts(insertions=2).information_lost == 1.0
    assert Counts().match_error_rate == Counts().information_lost == 0.0
