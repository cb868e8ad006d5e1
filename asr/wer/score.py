"""Score: the counts of every utterance of a subset, their totals, and missing hypotheses.

A rate is computed once, from summed counts, and for one subset only: nothing here pools two.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from asr.errors import DataError
from asr.text.normalise import normaliser
from asr.wer.alignment import Counts, EditKind, align_words, count_all
from asr.wer.network import normalise_markup


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
    """Counts summed over utterances, of which `n_wrong` have an error."""

    n_utterances: int
    words: Counts
    characters: Counts
    n_wrong: int = 0

    @property
    def wer(self) -> float:
        """Word error rate, a fraction; see `Counts.rate` for an empty reference."""
        return self.words.rate

    @property
    def cer(self) -> float:
        """Character error rate, a fraction."""
        return self.characters.rate

    @property
    def ser(self) -> float:
        """Sentence error rate, a fraction: utterances with an error in their words."""
        return self.n_wrong / self.n_utterances if self.n_utterances else 0.0


@dataclass(frozen=True, slots=True)
class Score:
    """The score of one subset under one condition.

    Attributes:
        normaliser: Name of the normaliser applied to both sides.
        utterances: One per reference, in the references' order.
        extra: Ids of hypotheses without a reference; they are not counted.
        has_markup: Whether texts have alternatives and optional words, see `asr.wer.network`.
    """

    normaliser: str
    utterances: tuple[UtteranceScore, ...]
    extra: tuple[str, ...] = ()
    has_markup: bool = False

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
    references: Sequence[Reference],
    hypotheses: Mapping[str, str],
    normaliser_name: str,
    *,
    has_markup: bool = False,
) -> Score:
    """Count the errors of a subset's hypotheses.

    Both sides are normalised. A missing hypothesis is all deletions; a hypothesis without a
    reference is listed but not counted; against an empty reference every word is an insertion.

    Args:
        references: The subset's utterances, each with a text.
        hypotheses: Recognised texts by utterance id.
        normaliser_name: See `asr.text.normalise`.
        has_markup: Whether texts have alternatives and optional words, see `asr.wer.network`.

    Raises:
        DataError: There is no reference, one has no text, two share an id, or the normaliser
            is unknown.
    """
    _check(references)
    spell = normaliser(normaliser_name)

    def normalise(text: str) -> str:
        return normalise_markup(text, spell) if has_markup else spell(text)

    texts = [normalise(reference.text or "") for reference in references]
    found = [hypotheses.get(reference.id) for reference in references]
    recognised = [None if text is None else normalise(text) for text in found]
    spoken = [text or "" for text in recognised]
    words = count_all(texts, spoken, has_markup=has_markup)
    pairs = list(zip(texts, spoken, strict=True))
    chosen = [_chosen(*pair) for pair in pairs] if has_markup else pairs
    characters = count_all(*map(list, zip(*chosen, strict=True)), unit="character")
    utterances = tuple(
        UtteranceScore(reference.id, reference.speaker, text, found_text, by_word, by_character)
        for reference, text, found_text, by_word, by_character in zip(
            references, texts, recognised, words, characters, strict=True
        )
    )
    known = {reference.id for reference in references}
    extra = tuple(i for i in hypotheses if i not in known)
    return Score(normaliser_name, utterances, extra, has_markup)


def tally(utterances: Sequence[UtteranceScore]) -> Tally:
    """Sum the counts of utterances."""
    return Tally(
        len(utterances),
        total_of(utterance.words for utterance in utterances),
        total_of(utterance.characters for utterance in utterances),
        sum(utterance.words.errors > 0 for utterance in utterances),
    )


def total_of(counts: Iterable[Counts]) -> Counts:
    """Sum counts."""
    hits = substitutions = deletions = insertions = 0
    for count in counts:  # a sum of objects would make a million of them
        hits += count.hits
        substitutions += count.substitutions
        deletions += count.deletions
        insertions += count.insertions
    return Counts(hits, substitutions, deletions, insertions)


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


def _chosen(reference: str, hypothesis: str) -> tuple[str, str]:
    """Write the alternatives that an alignment chose, as plain texts."""
    edits = align_words(reference, hypothesis, has_markup=True)
    words = [e.reference for e in edits if e.kind is not EditKind.OMISSION]
    return " ".join(filter(None, words)), " ".join(filter(None, (e.hypothesis for e in edits)))
