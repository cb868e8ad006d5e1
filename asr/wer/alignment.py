"""Count errors: align a hypothesis with its reference, by words or by characters.

jiwer's one door. The number of errors is the least that turns the reference into the hypothesis
(Levenshtein, all errors weigh the same); where several alignments have that number, their split
into substitutions, deletions and insertions is jiwer's choice, and sclite's may differ.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, Self

import jiwer

Unit = Literal["word", "character"]

_SPLITTERS = {
    "word": jiwer.ReduceToListOfListOfWords(),
    "character": jiwer.ReduceToListOfListOfChars(),
}


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the reference's units. Counts add up; rates do not.

    Attributes:
        hits: Reference units that the hypothesis has.
        substitutions: Reference units that the hypothesis has otherwise.
        deletions: Reference units that the hypothesis lacks.
        insertions: Hypothesis units that the reference lacks.
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
    def n_hypothesis(self) -> int:
        """Units of the hypothesis."""
        return self.hits + self.substitutions + self.insertions

    @property
    def rate(self) -> float:
        """Errors per reference unit: a fraction, which insertions can take beyond 1.

        Of an empty reference: 0.0 if the hypothesis is empty too, else infinity.
        """
        if self.n_reference:
            return self.errors / self.n_reference
        return float("inf") if self.errors else 0.0


class EditKind(StrEnum):
    """What one step of an alignment does."""

    HIT = "hit"
    SUBSTITUTION = "substitution"
    DELETION = "deletion"
    INSERTION = "insertion"


@dataclass(frozen=True, slots=True)
class Edit:
    """One step of an alignment of words.

    Attributes:
        kind: What the step does.
        reference: The word that was said; empty in an insertion.
        hypothesis: The word that was recognised; empty in a deletion.
    """

    kind: EditKind
    reference: str
    hypothesis: str


def count_errors(reference: str, hypothesis: str, *, unit: Unit = "word") -> Counts:
    """Count the errors of one hypothesis.

    Texts are compared as they are, except that white space is collapsed: normalise both first.

    Args:
        reference: What was said; may be empty.
        hypothesis: What was recognised; may be empty.
        unit: `"word"` for WER; `"character"` for CER, where a space between words counts.

    Returns:
        The counts; add them over utterances, and only then take `rate`.

    Example:
        >>> count_errors("the cat sat", "the hat sat down")
        Counts(hits=2, substitutions=1, deletions=0, insertions=1)
    """
    output = _align(reference, hypothesis, unit)
    return Counts(output.hits, output.substitutions, output.deletions, output.insertions)


def align_words(reference: str, hypothesis: str) -> list[Edit]:
    """Pair the words of a reference with those of a hypothesis, in order.

    Args:
        reference: What was said; may be empty.
        hypothesis: What was recognised; may be empty.

    Returns:
        One edit for each word pair, lost word or added word; empty if both texts are.

    Example:
        >>> [(edit.reference, edit.hypothesis) for edit in align_words("the cat sat", "cat sad")]
        [('the', ''), ('cat', 'cat'), ('sat', 'sad')]
    """
    output = _align(reference, hypothesis, "word")
    spoken, recognised = output.references[0], output.hypotheses[0]
    return [
        edit
        for chunk in output.alignments[0]
        for edit in _edits(
            chunk.type,
            spoken[chunk.ref_start_idx : chunk.ref_end_idx],
            recognised[chunk.hyp_start_idx : chunk.hyp_end_idx],
        )
    ]


def _align(reference: str, hypothesis: str, unit: Unit) -> jiwer.WordOutput:
    """Align two texts, white space collapsed."""
    splitter = _SPLITTERS[unit]
    return jiwer.process_words(
        " ".join(reference.split()), " ".join(hypothesis.split()), splitter, splitter
    )


def _edits(chunk_type: str, spoken: list[str], recognised: list[str]) -> list[Edit]:
    """Take one of jiwer's chunks, a run of equal steps, apart into its steps."""
    match chunk_type:
        case "delete":
            return [Edit(EditKind.DELETION, word, "") for word in spoken]
        case "insert":
            return [Edit(EditKind.INSERTION, "", word) for word in recognised]
    kind = EditKind.HIT if chunk_type == "equal" else EditKind.SUBSTITUTION
    return [Edit(kind, *pair) for pair in zip(spoken, recognised, strict=True)]
