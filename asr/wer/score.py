"""Score: the counts of every utterance of a subset, their totals, and missing hypotheses.

A rate is computed once, from summed counts, and for one subset only: nothing here pools two.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from asr.errors import DataError
from asr.text.normalise import Normaliser, normaliser
from asr.wer.alignment import Counts, count_errors


class Reference(Protocol):
    """The part of an utterance that scoring needs; a manifest's utterances have it."""

    @property
    def id(self) -> str:
        """The id, shared with the hypothesis."""

    @property
    def text(self) -> str | None:
        """The reference text."""

    @property
    def speaker(self) -> str | None:
        """The speaker; None if unknown."""


@dataclass(frozen=True, slots=True)
class UtteranceScore:
    """The counts of one utterance.

    Attributes:
        id: The utterance's id.
        speaker: None if unknown.
        reference: Normalised; may be empty.
        hypothesis: Normalised; None if it is missing, which counts like an empty one.
        words: Counts by words.
        characters: Counts by characters; the space between two words is one.
    """

    id: str
    speaker: str | None
    reference: str
    hypothesis: str | None
    words: Counts
    characters: Counts


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts summed over utterances."""

    n_utterances: int
    words: Counts
    characters: Counts

    @property
    def wer(self) -> float:
        """Word error rate, a fraction; see `Counts.rate` for an empty reference."""
        return self.words.rate

    @property
    def cer(self) -> float:
        """Character error rate, a fraction."""
        return self.characters.rate


@dataclass(frozen=True, slots=True)
class Score:
    """The score of one subset under one condition.

    Attributes:
        normaliser: Name of the normaliser applied to both sides.
        utterances: One per reference, in the references' order.
        extra: Ids of hypotheses without a reference; they are not counted.
    """

    normaliser: str
    utterances: tuple[UtteranceScore, ...]
    extra: tuple[str, ...] = ()

    @property
    def total(self) -> Tally:
        """The counts of the whole subset."""
        return tally(self.utterances)

    @property
    def missing(self) -> tuple[str, ...]:
        """Ids of references without a hypothesis."""
        return tuple(u.id for u in self.utterances if u.hypothesis is None)

    def by_speaker(self) -> dict[str, Tally]:
        """Sum the counts of each known speaker, in the order of their names."""
        speakers: dict[str, list[UtteranceScore]] = {}
        for utterance in self.utterances:
            if utterance.speaker is not None:
                speakers.setdefault(utterance.speaker, []).append(utterance)
        return {speaker: tally(speakers[speaker]) for speaker in sorted(speakers)}


def score(
    references: Sequence[Reference], hypotheses: Mapping[str, str], normaliser_name: str
) -> Score:
    """Count the errors of a subset's hypotheses.

    Both sides are normalised. A missing hypothesis is all deletions; a hypothesis without a
    reference is listed but not counted; against an empty reference every word is an insertion.

    Args:
        references: The subset's utterances, each with a text.
        hypotheses: Recognised texts by utterance id.
        normaliser_name: See `asr.text.normalise`.

    Raises:
        DataError: There is no reference, one has no text, two share an id, or the normaliser
            is unknown.
    """
    _check(references)
    normalise = normaliser(normaliser_name)
    utterances = tuple(
        _score_utterance(reference, hypotheses.get(reference.id), normalise)
        for reference in references
    )
    known = {reference.id for reference in references}
    return Score(normaliser_name, utterances, tuple(i for i in hypotheses if i not in known))


def tally(utterances: Sequence[UtteranceScore]) -> Tally:
    """Sum the counts of utterances."""
    return Tally(
        len(utterances),
        sum((utterance.words for utterance in utterances), Counts()),
        sum((utterance.characters for utterance in utterances), Counts()),
    )


def _check(references: Sequence[Reference]) -> None:
    if not references:
        raise DataError("expected references to score against, got none")
    seen: set[str] = set()
    for reference in references:
        if reference.text is None:
            raise DataError(f"utterance {reference.id} has no text to score against")
        if reference.id in seen:
            raise DataError(f"two references have the id {reference.id}")
        seen.add(reference.id)


def _score_utterance(
    reference: Reference, hypothesis: str | None, normalise: Normaliser
) -> UtteranceScore:
    reference_text = normalise(reference.text or "")
    hypothesis_text = None if hypothesis is None else normalise(hypothesis)
    return UtteranceScore(
        reference.id,
        reference.speaker,
        reference_text,
        hypothesis_text,
        count_errors(reference_text, hypothesis_text or ""),
        count_errors(reference_text, hypothesis_text or "", unit="character"),
    )
