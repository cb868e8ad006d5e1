"""Vocabulary: the words that a language model knows, and their ids.

Ids are dense. The first three are `<unk>` (any word outside), `<s>` (the start of a segment, which
is never predicted) and `</s>` (its end, which is).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import repeat
from pathlib import Path

from asr.errors import DataError
from asr.lm.segments import read_lines
from asr.text.word_list import without_numbers

UNKNOWN, START, END = "<unk>", "<s>", "</s>"
OTHER_UNKNOWN = "<UNK>"  # as SRILM and Kaldi may spell it
UNKNOWN_ID, START_ID, END_ID = range(3)
SPECIAL = (UNKNOWN, START, END)

_BLOCK = 1000  # words that are respelled at once, if they can be


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Words by id and ids by word.

    Args:
        words: Distinct, without white space; the first three are `<unk>`, `<s>` and `</s>`.

    Raises:
        DataError: A word is there twice, or the first three are others.

    Example:
        >>> vocabulary = Vocabulary.of(["CAT", "SAT"])
        >>> vocabulary.words
        ('<unk>', '<s>', '</s>', 'CAT', 'SAT')
        >>> vocabulary.ids(["SAT", "DOG"])
        [4, 0]
    """

    words: tuple[str, ...]
    _ids: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.words[:3] != SPECIAL:
            raise DataError(f"expected {', '.join(SPECIAL)} as first words, got {self.words[:3]}")
        ids = dict(zip(self.words, range(len(self.words)), strict=True))
        if len(ids) != len(self.words):
            twice = next(word for i, word in enumerate(self.words) if ids[word] != i)
            raise DataError(f"expected distinct words, got {twice!r} twice")
        object.__setattr__(self, "_ids", ids)

    @classmethod
    def of(cls, words: Iterable[str]) -> "Vocabulary":
        """Put the special words first, then each other word once, in the given order."""
        return cls(tuple(dict.fromkeys((*SPECIAL, *words))))

    def __len__(self) -> int:
        """Count the words, the three special ones included."""
        return len(self.words)

    def respelled(self, respell: Callable[[str], str]) -> "Vocabulary":
        """Spell the words by a rule, if no two become alike; otherwise leave them as they are.

        A word that the rule would drop or divide stays as it is.

        Example:
            >>> Vocabulary.of(["cat", "x-ray"]).respelled(lambda w: w.upper().replace("-", " "))
            Vocabulary(words=('<unk>', '<s>', '</s>', 'CAT', 'x-ray'))
        """
        spelled = list(SPECIAL)
        for start in range(len(SPECIAL), len(self), _BLOCK):
            block = self.words[start : start + _BLOCK]
            joined = " ".join(block)
            if respell(joined) != joined:  # ten times as fast as one by one
                words = map(respell, block)
                block = tuple(
                    new if " " not in new and new else old
                    for old, new in zip(block, words, strict=True)
                )
            spelled += block
        if tuple(spelled) == self.words or len({*spelled}) < len(self):
            return self
        return Vocabulary(tuple(spelled))

    def ids(self, words: Iterable[str]) -> list[int]:
        """Return the ids of words; 0, the id of `<unk>`, for words outside."""
        return list(map(self._ids.get, words, repeat(UNKNOWN_ID)))


def refuse_reserved(words: list[str], reserved: Iterable[str], segment: str) -> None:
    """Refuse a segment with a word that the model reserves for itself.

    Raises:
        DataError: One of the words is reserved.
    """
    for word in reserved:
        if word in words:
            raise DataError(
                f"expected words, got the reserved {word!r} in {segment.strip()!r}: "
                "remove it from the text"
            )


def read_vocabulary(path: Path) -> Vocabulary:
    """Read words, one a line or Kaldi's words.txt; empty lines and repetitions are skipped.

    The file can be compressed.

    Raises:
        DataError: The file cannot be read, has a line of several words, or no word at all.
    """
    words: list[str] = []
    for number, line in enumerate(without_numbers([*read_lines(path)]), start=1):
        fields = line.split()
        if len(fields) > 1:
            raise DataError(f"{path}:{number}: expected one word, got {line.strip()!r}")
        words += [UNKNOWN if field == OTHER_UNKNOWN else field for field in fields]
    vocabulary = Vocabulary.of(words)
    if len(vocabulary) == len(SPECIAL):
        raise DataError(f"{path}: expected words, one a line, got none")
    return vocabulary
