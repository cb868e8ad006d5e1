"""Text: segments as one array of word ids, with its vocabulary."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from asr.errors import DataError
from asr.lm.vocabulary import (
    END,
    OTHER_UNKNOWN,
    SPECIAL,
    START,
    START_ID,
    Vocabulary,
    refuse_reserved,
)

Progress = Callable[[int], None]  # takes the number of words read since the last call

_CHUNK = 10_000  # segments numbered at a time


@dataclass(frozen=True, slots=True)
class Text:
    """A text as word ids, (T,); each segment begins with `<s>` and ends with `</s>`.

    Words outside the vocabulary have ids from `len(vocabulary)` on.
    """

    tokens: NDArray[np.int32]
    vocabulary: Vocabulary

    @property
    def n_types(self) -> int:
        """Count the different words, those outside included: one more than the last id."""
        return max(len(self.vocabulary), int(self.tokens.max()) + 1)

    @property
    def n_words(self) -> int:
        """Count the words of all segments."""
        return int(np.count_nonzero(self.tokens != START_ID) - self.n_segments)

    @property
    def n_segments(self) -> int:
        """Count the segments."""
        return int(np.count_nonzero(self.tokens == START_ID))

    @property
    def n_outside(self) -> int:
        """Count the words outside the vocabulary."""
        return int(np.count_nonzero(self.tokens >= len(self.vocabulary)))


def index_text(
    segments: Iterable[str],
    vocabulary: Vocabulary | None = None,
    *,
    n_words: int | None = None,
    min_count: int = 1,
    progress: Progress = lambda _n_words: None,
) -> Text:
    """Number the words of a text.

    Args:
        segments: Words between white space.
        vocabulary: The words to know; None takes those of the text, by falling frequency and then
            by first appearance.
        n_words: Greatest number of the text's words to know; None for all.
        min_count: Least count of a word of the text to know.
        progress: Called as the text is read.

    Raises:
        DataError: The text has no word, or spells `<unk>`, `<UNK>`, `<s>` or `</s>`.
    """
    words, tokens = _number(segments, progress)
    if len(words) == len(SPECIAL):
        raise DataError("expected a text to learn from, got one without a word")
    if vocabulary is None:
        counts = np.bincount(tokens)[len(SPECIAL) :]
        by_count = np.argsort(-counts, kind="stable")
        known = by_count[counts[by_count] >= min_count][:n_words] + len(SPECIAL)
        vocabulary = Vocabulary.of(words[i] for i in known.tolist())
    return Text(_renumbering(words, vocabulary)[tokens], vocabulary)


def _number(segments: Iterable[str], progress: Progress) -> tuple[list[str], NDArray[np.int32]]:
    """Number words by their first appearance, after the special ones."""
    ids: defaultdict[str, int] = defaultdict()
    ids.default_factory = ids.__len__
    for word in SPECIAL:
        ids[word]
    rest = iter(segments)
    chunks = []
    while chunk := list(islice(rest, _CHUNK)):
        numbers = map(ids.__getitem__, _spell(chunk))
        chunks.append(np.fromiter(numbers, np.int32))
        progress(len(chunks[-1]) - 2 * len(chunk))
    return list(ids), np.concatenate(chunks) if chunks else np.zeros(0, np.int32)


def _spell(segments: list[str]) -> Iterator[str]:
    for segment in segments:
        words = segment.split()
        refuse_reserved(words, (*SPECIAL, OTHER_UNKNOWN), segment)
        yield START
        yield from words
        yield END


def _renumbering(words: list[str], vocabulary: Vocabulary) -> NDArray[np.int32]:
    """Map the numbers of a text's words to ids, those outside the vocabulary at the end."""
    ids = np.array(vocabulary.ids(words), np.int32)
    outside = np.flatnonzero(ids == 0)[1:]  # not `<unk>` itself
    ids[outside] = len(vocabulary) + np.arange(len(outside))
    assert ids[START_ID] == START_ID
    return ids
