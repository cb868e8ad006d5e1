"""Confusions: the most frequent errors by word, and the worst utterances."""

from collections import Counter
from dataclasses import dataclass
from typing import TypeVar

from asr.wer.alignment import Edit, EditKind, align_words
from asr.wer.score import Score, UtteranceScore

T = TypeVar("T", str, tuple[str, str])


@dataclass(frozen=True, slots=True)
class Confusions:
    """Errors of a score by word, the most frequent first, ties in alphabetical order.

    Attributes:
        substitutions: Pairs of reference and hypothesis word, with counts.
        deletions: Reference words, with counts.
        insertions: Hypothesis words, with counts.
    """

    substitutions: tuple[tuple[tuple[str, str], int], ...]
    deletions: tuple[tuple[str, int], ...]
    insertions: tuple[tuple[str, int], ...]


def confusions(score: Score) -> Confusions:
    """Count the errors of each word, leaving out utterances without a hypothesis."""
    edits = Counter(
        edit
        for utterance in score.utterances
        if utterance.hypothesis is not None
        for edit in align_words(utterance.reference, utterance.hypothesis)
    )
    return Confusions(
        _ranked({(e.reference, e.hypothesis): n for e, n in _of(edits, EditKind.SUBSTITUTION)}),
        _ranked({e.reference: n for e, n in _of(edits, EditKind.DELETION)}),
        _ranked({e.hypothesis: n for e, n in _of(edits, EditKind.INSERTION)}),
    )


def worst_utterances(score: Score, n: int) -> list[UtteranceScore]:
    """Choose the utterances with the most errors times WER, the worst first.

    By WER alone the list would fill with utterances of one word, by errors alone with long ones.
    Utterances without a hypothesis are left out.

    Args:
        score: A subset's score.
        n: Most utterances to choose; only those with errors are.
    """
    with_errors = [u for u in score.utterances if u.hypothesis is not None and u.words.errors]
    ranked = sorted(with_errors, key=lambda u: (-u.words.errors * u.words.rate, u.id))
    return ranked[:n]


def _of(edits: Counter[Edit], kind: EditKind) -> list[tuple[Edit, int]]:
    """Select the edits of one kind."""
    return [(edit, count) for edit, count in edits.items() if edit.kind is kind]


def _ranked(counts: dict[T, int]) -> tuple[tuple[T, int], ...]:
    """Sort by count, the highest first, then alphabetically."""
    return tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
