"""Alignment: count the errors of a hypothesis against its reference, by words or by characters.

Counts are those of NIST's sclite, the field's yardstick: an alignment has the lowest cost, where a
substitution costs 4 and a deletion or an insertion 3. That may be one error more than the fewest
possible, where fewer words would be substituted.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, Self

from asr.wer.network import branching_nodes, character_nodes, word_nodes
from asr.wer.trellis import NULL, OPTIONAL, best_steps, count_chains

Unit = Literal["word", "character"]

_AT_ONCE = 500_000  # characters of reference and hypothesis that are aligned together


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

    @property
    def match_error_rate(self) -> float:
        """Share of wrong pairs (MER): errors per step of the alignment, at most 1."""
        n_steps = self.hits + self.errors
        return self.errors / n_steps if n_steps else 0.0

    @property
    def information_lost(self) -> float:
        """Word information lost (WIL): 1 less the hits' shares of reference and hypothesis.

        References:
            Morris, Maier and Green, "From WER and RIL to MER and WIL", Interspeech 2004.
        """
        n_hypothesis = self.hits + self.substitutions + self.insertions
        if not self.n_reference or not n_hypothesis:
            return 1.0 if self.errors else 0.0
        return 1 - self.hits / self.n_reference * (self.hits / n_hypothesis)


class EditKind(StrEnum):
    """The kinds of step in an alignment, and their letters in reports."""

    HIT = "="
    SUBSTITUTION = "S"
    DELETION = "D"
    INSERTION = "I"
    OMISSION = "O"  # of an optional word, which is no error


@dataclass(frozen=True, slots=True)
class Edit:
    """One step of an alignment of words; a side without a word is empty."""

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
    return count_all([reference], [hypothesis], unit=unit)[0]


def count_all(
    references: Sequence[str],
    hypotheses: Sequence[str],
    *,
    unit: Unit = "word",
    has_markup: bool = False,
) -> list[Counts]:
    """Count the errors of many hypotheses, as `count_errors` does, a million in seconds.

    Args:
        references: One text per hypothesis.
        hypotheses: In the same order.
        unit: As in `count_errors`.
        has_markup: Whether texts have alternatives and optional words (see `asr.wer.network`); by
            characters, texts never have.
    """
    if has_markup and unit == "word":
        return [_count(*pair) for pair in zip(references, hypotheses, strict=True)]
    counts: list[Counts] = []
    shared: dict[tuple[int, ...], Counts] = {}  # most of a million short texts have the same
    for block in _blocks(references, hypotheses):
        texts = references[block], hypotheses[block]
        ids: dict[str, int] = {}
        nodes = (
            map(character_nodes, texts)
            if unit == "character"
            else (word_nodes(side, ids) for side in texts)
        )
        rows = count_chains(*nodes).tolist()
        counts += [shared.setdefault(key, Counts(*key)) for key in map(tuple, rows)]
    return counts


def align_words(reference: str, hypothesis: str, *, has_markup: bool = False) -> list[Edit]:
    """Pair the words of a reference with those of a hypothesis, in order.

    Returns:
        One edit per pair of words, deleted word or inserted word; empty if both texts are. Of
        alternatives, only the chosen one's words.

    Example:
        >>> [(edit.reference, edit.hypothesis) for edit in align_words("the cat sat", "cat sad")]
        [('the', ''), ('cat', 'cat'), ('sat', 'sad')]
    """
    ids: dict[str, int] = {}
    (nodes, words), (other_nodes, other_words) = (
        branching_nodes(text, ids) if has_markup else (word_nodes([text], ids), text.split())
        for text in (reference, hypothesis)
    )
    edits = []
    for i, j in best_steps(nodes, other_nodes):
        word, other = words[i - 1] if i else "", other_words[j - 1] if j else ""
        kind = nodes.kinds[i - 1] if i else other_nodes.kinds[j - 1]
        if i and j:
            is_hit = word == other
            edits.append(Edit(EditKind.HIT if is_hit else EditKind.SUBSTITUTION, word, other))
        elif kind == OPTIONAL:
            edits.append(Edit(EditKind.OMISSION, word, other))
        elif kind != NULL:
            edits.append(Edit(EditKind.DELETION if i else EditKind.INSERTION, word, other))
    return edits


def _count(reference: str, hypothesis: str) -> Counts:
    """Count the errors of a text with markup; an optional word that is left out is a hit."""
    kinds = [edit.kind for edit in align_words(reference, hypothesis, has_markup=True)]
    return Counts(
        kinds.count(EditKind.HIT) + kinds.count(EditKind.OMISSION),
        kinds.count(EditKind.SUBSTITUTION),
        kinds.count(EditKind.DELETION),
        kinds.count(EditKind.INSERTION),
    )


def _blocks(references: Sequence[str], hypotheses: Sequence[str]) -> Iterator[slice]:
    """Cut the texts into stretches of limited length, of at least one text."""
    begin = used = 0
    for end, (reference, hypothesis) in enumerate(zip(references, hypotheses, strict=True)):
        used += len(reference) + len(hypothesis) + 2
        if used > _AT_ONCE and end > begin:
            yield slice(begin, end)
            begin, used = end, len(reference) + len(hypothesis) + 2
    if references:
        yield slice(begin, len(references))
