from collections import Counter
from pathlib import Path
from typing import IO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asr.errors import DataError
from asr.lm.counts import CountedLevel, context_probs, count_ngrams, kept_ngrams
from asr.lm.text import index_text
from asr.lm.vocabulary import Vocabulary

NGram = tuple[int, ...]


def counted(segments: list[str], order: int) -> tuple[list[CountedLevel], list[list[NGram]]]:
    """The levels, and the n-grams of each spelled out."""
    text = index_text(segments)
    levels = list(count_ngrams(text.tokens, text.n_types, order))
    spelled: list[list[NGram]] = [[()]]
    for level in levels:
        rows = zip(level.ngrams.parents, level.ngrams.words, strict=True)
        spelled.append([(*spelled[-1][parent], int(word)) for parent, word in rows])
    return levels, spelled[1:]


@settings(max_examples=50)
@given(st.lists(st.text("AB C", min_size=1), min_size=1).filter(lambda s: "".join(s).strip()))
@pytest.mark.parametrize("run", [1, 3, 1 << 25])
def test_every_ngram_within_a_segment_is_counted_in_however_many_runs(
    run: int, segments: list[str]
) -> None:
    segments = [segment for segment in segments if segment.strip()]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("asr.lm.counts.RUN", run)
        levels, spelled = counted(segments, 4)
    text = index_text(segments)
    for order in (2, 3, 4):
        expected: Counter[NGram] = Counter()
        for segment in " ".join(map(str, text.tokens)).replace(" 1 ", "\n1 ").split("\n"):
            ids = tuple(map(int, segment.split()))
            expected.update(ids[i : i + order] for i in range(len(ids) - order + 1))
        level = levels[order - 1]
        assert dict(zip(spelled[order - 1], level.counts, strict=True)) == expected
        assert spelled[order - 1] == sorted(spelled[order - 1])
        suffixes = [spelled[order - 2][row] for row in level.ngrams.suffixes]
        assert suffixes == [ngram[1:] for ngram in spelled[order - 1]]


def test_a_disk_that_is_full_is_named_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(**_: object) -> IO[bytes]:
        return Path("/dev/full").open("wb", buffering=0)

    monkeypatch.setattr("asr.lm.counts.TemporaryFile", full)
    text = index_text(["A B C"] * 3)
    with pytest.raises(OSError, match="No space left on device") as caught:
        list(count_ngrams(text.tokens, text.n_types, 2, folder=tmp_path))
    assert caught.value.filename == str(tmp_path)


def test_progress_counts_the_text_once_for_each_order_above_the_first(tmp_path: Path) -> None:
    text = index_text(["A B A", "B"])
    done: list[int] = []
    list(count_ngrams(text.tokens, text.n_types, 3, folder=tmp_path, progress=done.append))
    assert sum(done) == 2 * (len(text.tokens) - 1)
    assert list(tmp_path.iterdir()) == []


def test_each_word_of_the_vocabulary_has_a_count_seen_or_not() -> None:
    text = index_text(["B A B"], Vocabulary.of(["A", "Z"]))
    (level,) = count_ngrams(text.tokens, text.n_types, 1)
    assert level.counts.tolist() == [0, 1, 1, 1, 0, 2]


def test_an_order_longer_than_any_segment_counts_nothing() -> None:
    levels, _ = counted(["A", "B"], 5)
    assert [len(level.counts) for level in levels] == [5, 4, 2, 0, 0]


def test_rare_ngrams_and_those_with_words_outside_go_and_words_stay() -> None:
    text = index_text(["A B A B", "A B C"], Vocabulary.of(["A", "B"]))
    levels = list(count_ngrams(text.tokens, text.n_types, 3))
    kept = kept_ngrams(levels, len(text.vocabulary), [1, 1, 2])
    assert kept[0].tolist() == [True] * 5 + [False]
    assert [int(keep.sum()) for keep in kept[1:]] == [4, 1]  # <s>A AB B</s> BA; <s>AB


@pytest.mark.parametrize("min_counts", [[], [2, 1], [1, 3, 2]])
def test_least_counts_that_fall_are_refused(min_counts: list[int]) -> None:
    levels, _ = counted(["A B"], 2)
    with pytest.raises(DataError, match="do not fall"):
        kept_ngrams(levels, 5, min_counts)


def test_contexts_are_as_probable_as_they_are_frequent() -> None:
    levels, _ = counted(["A B", "A"], 2)
    kept = kept_ngrams(levels, 5)
    probs = context_probs(levels, kept)
    # 5 tokens are predicted: A, B, </s>, A, </s>
    np.testing.assert_allclose(probs, [1, 0, 2 / 5, 2 / 5, 2 / 5, 1 / 5], rtol=1e-6)
