"""Confusions: the most frequent errors by word, and the worst utterances."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from asr.wer.alignment import Edit, EditKind, align_words
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


def alignments(score: Score) -> list[tuple[Edit, ...]]:
    """Align every utterance, in the score's order; one without a hypothesis is all deletions.

    Equal edits are one object, so that a million words fit into memory.
    """
    shared: dict[Edit, Edit] = {}
    return [
        tuple(
            shared.setdefault(edit, edit)
            for edit in align_words(u.reference, u.hypothesis or "", has_markup=score.has_markup)
        )
        for u in score.utterances
    ]


def confusions(score: Score, aligned: Sequence[Sequence[Edit]]) -> Confusions:
    """Count the errors of each word, leaving out utterances without a hypothesis.

    Args:
        score: A subset's score.
        aligned: Its `alignments`.
    """
    edits = Counter(
        edit
        for utterance, steps in zip(score.utterances, aligned, strict=True)
        if utterance.hypothesis is not None
        for edit in steps
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
    Utterances without a hypothesis are left out. Those without a reference word, whose WER is
    infinite, come first, by their errors.

    Args:
        score: A subset's score.
        n: Most utterances to choose; those without errors never are.
    """
    with_errors = [u for u in score.utterances if u.hypothesis is not None and u.words.errors]
    ranked = sorted(
        with_errors, key=lambda u: (-u.words.errors * u.words.rate, -u.words.errors, u.id)
    )
    return ranked[:n]


def _ranked(counts: dict[T, int]) -> tuple[tuple[T, int], ...]:
    """Sort by count, the highest first, then alphabetically."""
    return tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
