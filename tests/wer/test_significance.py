import math
import random

import pytest

from asr.errors import DataError
from asr.wer.interval import MIN_SPEAKERS
from asr.wer.nist import Segment
from asr.wer.score import Score, score
from asr.wer.significance import compare, matched_pairs


def scores(*triples: tuple[str, str, str]) -> tuple[Score, Score]:
    """Score two systems on texts: reference, first, second."""
    references = [Segment(str(i), triple[0], f"s{i}") for i, triple in enumerate(triples)]
    first, second = (
        score(references, {str(i): t[side] for i, t in enumerate(triples)}, "verbatim-1")
        for side in (1, 2)
    )
    return first, second


def test_segments_end_after_two_words_that_both_have_right() -> None:
    # one error of the first; two words right; two errors of the second, one word between them
    test = matched_pairs(*scores(("a b c d e f g", "x b c d e f g", "a b c x e y g")))

    assert test is not None
    assert test.n_segments == 2
    assert test.mean == (1 - 2) / 2
    # differences 1 and -2: deviation 3/√2, standard error 3/2
    assert test.z == pytest.approx(-0.5 / 1.5)
    assert test.p == pytest.approx(math.erfc((1 / 3) / math.sqrt(2)))


def test_an_inserted_word_is_an_error_before_the_next_word() -> None:
    test = matched_pairs(
        *scores(("a b c d", "a b c d", "z a b c d"), ("e f", "e", "e f"), ("g h", "g h", "g h y z"))
    )

    assert test is not None
    assert (test.n_segments, test.mean) == (3, (-1 + 1 - 2) / 3)


def noisy(words: list[str], rate: float, seed: int) -> str:
    """Spoil words: six of ten errors are substitutions, two deletions, two insertions."""
    generator = random.Random(seed)
    spoiled = []
    for word in words:
        kind = generator.random() / rate
        spoiled += (
            [] if 0.6 <= kind < 0.8 else [generator.choice("abcdefgh") if kind < 0.6 else word]
        )
        spoiled += [generator.choice("abcdefgh")] if 0.8 <= kind < 1.0 else []
    return " ".join(spoiled)


def test_the_test_agrees_with_sc_stats() -> None:
    # 120 utterances spoiled as below; sc_stats -t mapsswe -v of Debian's sctk 2.4.10 prints
    # that there are 371 segments, mean -0.348 and Z Stat -5.843
    generator = random.Random(5)
    texts = [[generator.choice("abcdefghijklmnopqrstuvw") for _ in range(20)] for _ in range(120)]
    triples = [
        (" ".join(words), noisy(words, 0.1, 2 * i), noisy(words, 0.15, 2 * i + 1))
        for i, words in enumerate(texts)
    ]

    test = matched_pairs(*scores(*triples))

    assert test is not None
    assert (test.n_segments, round(test.mean, 3), round(test.z, 3)) == (371, -0.348, -5.843)


def test_equal_systems_have_no_difference_and_no_test() -> None:
    found = compare(*scores(*[("a b", "a c", "a c")] * 3))

    assert (found.difference, found.better, found.mapsswe) == (0.0, 0.5, None)
    assert found.interval is not None
    assert (found.interval.low, found.interval.high) == (0.0, 0.0)


def test_the_bootstrap_is_paired_and_over_speakers() -> None:
    # speakers differ by far, but the second system always has one error less in ten words
    words = list("abcdefghij")
    spoiled = [" ".join(["x"] * n + words[n:]) for n in range(11)]
    triples = [(spoiled[0], spoiled[i % 9 + 1], spoiled[i % 9]) for i in range(MIN_SPEAKERS)]
    found = compare(*scores(*triples))

    assert found.difference == pytest.approx(-0.1)
    assert found.interval is not None
    assert found.interval.resampled == "speakers"
    assert found.interval.low == pytest.approx(-0.1)
    assert found.interval.high == pytest.approx(-0.1)
    assert found.better == 1.0


def test_each_system_is_divided_by_the_words_that_it_chose() -> None:
    """Of `{ a / b }` the two may have chosen alternatives of other lengths."""
    reference = "{ it is not going to / isn't gonna } rain today"
    hypotheses = "it is not going to rain monday", "isn't gonna rain monday"
    spoken = [Segment(str(i), reference) for i in range(20)]
    first, second = (
        score(spoken, dict.fromkeys(map(str, range(20)), text), "verbatim-1", has_markup=True)
        for text in hypotheses
    )

    found = compare(first, second)

    assert found.difference == pytest.approx(1 / 4 - 1 / 7)
    assert found.interval is not None
    assert found.interval.low == found.interval.high == pytest.approx(found.difference)
    assert (found.better, compare(second, first).better) == (0.0, 1.0)


def test_references_without_words_are_not_compared() -> None:
    with pytest.raises(DataError, match="expected references with words"):
        compare(*scores(("", "", "x"), ("", "", "")))


def test_scores_of_other_references_are_refused() -> None:
    first, _ = scores(("a", "a", "a"))
    second, _ = scores(("b", "a", "a"))

    with pytest.raises(DataError, match="1 are missing or differ, as '0'"):
        compare(first, second)


def test_scores_under_other_normalisers_are_refused() -> None:
    references = [Segment("0", "a")]
    with pytest.raises(DataError, match="one normaliser, got verbatim-1 and uncased-1"):
        compare(score(references, {}, "verbatim-1"), score(references, {}, "uncased-1"))
