"""Alignment: count the errors of a hypothesis against its reference, by words or by characters.

The only door to jiwer. The number of errors is the Levenshtein distance, all errors weighing the
same; where several alignments have that distance, jiwer chooses how it splits into substitutions,
deletions and insertions, and sclite may choose differently.
"""

from dataclasses import dataclass
from enum import StrEnum
from itertools import zip_longest
from typing import Literal, Self

import jiwer

Unit = Literal["word", "character"]

_SPLITTERS = {
    "word": jiwer.ReduceToListOfListOfWords(),
    "character": jiwer.ReduceToListOfListOfChars(),
}


@dataclass(frozen=True, slots=True)
class Counts:
    """Hits and errors, in words or characters. Counts add up; rates do not.

    Attributes:
        hits: Units of the reference that were recognised.
        substitutions: Units of the reference that were recognised as others.
        deletions: Units of the reference that are missing from the hypothesis.
        insertions: Units of the hypothesis that are not in the reference.
    """

    hits: int = 0
    substitutions: int = 0
    deletions: int = 0
    insertions: int = 0

    def __add__(self, other: Self) -> "Counts":
        return Counts(
            self.hits + other.hits,
            self.substitutions + other.substitutions,
            self.deletions + other.deletions,
            self.insertions + other.insertions,
        )

    @property
    def errors(self) -> int:
        """Substitutions, deletions and insertions together."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def n_reference(self) -> int:
        """Units of the reference."""
        return self.hits + self.substitutions + self.deletions

    @property
    def rate(self) -> float:
        """Errors per unit of the reference: a fraction, which insertions can push above 1.

        With an empty reference: 0.0 if the hypothesis is empty too, else infinity.
        """
        if self.n_reference:
            return self.errors / self.n_reference
        return float("inf") if self.errors else 0.0


class EditKind(StrEnum):
    """The kinds of step in an alignment, by jiwer's names."""

    HIT = "equal"
    SUBSTITUTION = "substitute"
    DELETION = "delete"
    INSERTION = "insert"


@dataclass(frozen=True, slots=True)
class Edit:
    """One step of an alignment of words; the side that has none, if one has, is empty."""

    kind: EditKind
    reference: str
    hypothesis: str


def count_errors(reference: str, hypothesis: str, *, unit: Unit = "word") -> Counts:
    """Count the errors of one hypothesis.

    White space is collapsed; otherwise texts are compared unchanged: normalise both first.

    Args:
        reference: May be empty.
        hypothesis: May be empty.
        unit: `"word"` for WER; `"character"` for CER, where a space between words counts.

    Returns:
        The counts; sum them over utterances before taking `rate`.

    Example:
        >>> count_errors("the cat sat", "the hat sat down")
        Counts(hits=2, substitutions=1, deletions=0, insertions=1)
    """
    output = _align(reference, hypothesis, unit)
    return Counts(output.hits, output.substitutions, output.deletions, output.insertions)


def align_words(reference: str, hypothesis: str) -> list[Edit]:
    """Pair the words of a reference with those of a hypothesis, in order.

    Returns:
        One edit per pair of words, deleted word or inserted word; empty if both texts are.

    Example:
        >>> [(edit.reference, edit.hypothesis) for edit in align_words("the cat sat", "cat sad")]
        [('the', ''), ('cat', 'cat'), ('sat', 'sad')]
    """
    output = _align(reference, hypothesis, "word")
    reference_words, hypothesis_words = output.references[0], output.hypotheses[0]
    return [
        Edit(EditKind(chunk.type), *pair)
        for chunk in output.alignments[0]
        for pair in zip_longest(
            reference_words[chunk.ref_start_idx : chunk.ref_end_idx],
            hypothesis_words[chunk.hyp_start_idx : chunk.hyp_end_idx],
            fillvalue="",
        )
    ]


def _align(reference: str, hypothesis: str, unit: Unit) -> jiwer.WordOutput:
    splitter = _SPLITTERS[unit]
    return jiwer.process_words(
        " ".join(reference.split()), " ".join(hypothesis.split()), splitter, splitter
    )
