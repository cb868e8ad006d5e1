"""Pronounceable text: words in numbers, each with the phones that it is said in."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asr.errors import DataError
from asr.spelling.heard_phones import Integers


@dataclass(frozen=True, slots=True)
class PronounceableText:
    """Segments of which every word has a pronunciation, one after the other.

    Attributes:
        words: By number.
        phones: Their pronunciations, each of at least one phone.
        text: (N,) numbers of words.
        starts: (S,) where in `text` each segment begins, rising.
    """

    words: tuple[str, ...]
    phones: tuple[Integers, ...]
    text: NDArray[np.int32]
    starts: Integers

    @classmethod
    def of(
        cls, segments: Iterable[str], pronunciations: Mapping[str, Sequence[int]]
    ) -> "PronounceableText":
        """Take the segments of which every word is pronounced; the others are left out.

        Args:
            segments: Normalised.
            pronunciations: Ids of phones by word; a word without phones counts as not pronounced.

        Raises:
            DataError: No segment is left.
        """
        words = tuple(word for word, phones in pronunciations.items() if len(phones))
        find = {word: number for number, word in enumerate(words)}.get
        taken: list[NDArray[np.int32]] = []
        for segment in segments:
            numbers = [find(word, -1) for word in segment.split()]
            if numbers and min(numbers) >= 0:
                taken.append(np.array(numbers, np.int32))
        if not taken:
            raise DataError("the lexicon pronounces no segment of the text in phones of the model")
        starts = np.cumsum([0, *map(len, taken[:-1])], dtype=np.int64)
        phones = tuple(np.array(pronunciations[word], np.int64) for word in words)
        return cls(words, phones, np.concatenate(taken), starts)

    def run(self, segment: int, n_words: int) -> Integers:
        """Give the numbers of so many words from the beginning of a segment, fewer at the end."""
        start = self.starts[segment]
        return self.text[start : start + n_words].astype(np.int64)
