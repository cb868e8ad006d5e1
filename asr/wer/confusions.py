"""Confusions: the most frequent errors by word, and the worst utterances."""

from collections import Counter
from dataclasses import dataclass
from typing import TypeVar

from asr.wer.alignment import EditKind, align_words
from asr.wer.score import Score, UtteranceScore

T = TypeVar("T", str, tuple[str, str])


@dataclass(frozen=True, slots=True)
class Confusions:
    """Words and their counts, the most frequent first, ties in alphabetical order.

    `substitutions` holds pairs of a reference and a hypothesis word.
    """

    substitutions: tuple[tuple[tuple[str, str], int], ...]
    deletions: tuple[tuple[str, int], ...]
    insertions: tuple[tuple[str, int], ...]


def confusions(score: Score) -> Confusions:
    """Count the errors of each word, leaving out utterances without a hypothesis."""
    edits = Counter(
        edit
        for utterance in score.utterances
        if utterance.hypothesis is not None and utterance.words.errors
        for edit in align_words(
            utterance.reference, utterance.hypothesis, has_markup=score.has_markup
        )
    )
    by_kind = {kind: [(e, n) for e, n in edits.items() if e.kind is kind] for kind in EditKind}
    return Confusions(
        _ranked({(e.reference, e.hypothesis): n for e, n in by_kind[EditKind.SUBSTITUTION]}),
        _ranked({e.reference: n for e, n in by_kind[EditKind.DELETION]}),
        _ranked({e.hypothesis: n for e, n in by_kind[EditKind.INSERTION]}),
    )


def worst_utterances(score: Score, n: int) -> list[UtteranceScore]:
    """Choose the utterances with the most errors times WER, the worst first.

    By WER alone the list would fill with utterances of one word, by errors alone with long ones.
    Utterances without a hypothesis are left out.

    Args:
        score: A subset's score.
        n: Most utterances to choose; those without errors never are.
    """
    with_errors = [u for u in score.utterances if u.hypothesis is not None and u.words.errors]
    ranked = sorted(with_errors, key=lambda u: (-u.words.errors * u.words.rate, u.id))
    return ranked[:n]


def _ranked(counts: dict[T, int]) -> tuple[tuple[T, int], ...]:
    """Sort by count, the highest first, then alphabetically."""
    return tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
