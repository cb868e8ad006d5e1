"""Significance: whether one of two systems is better than the other on the same utterances."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from asr.errors import DataError
from asr.wer.alignment import EditKind, align_words
from asr.wer.interval import Interval, group, interval_of, replicate_rates
from asr.wer.score import Score, UtteranceScore

MIN_CORRECT = 2  # words in a row that both have right, which end a segment


@dataclass(frozen=True, slots=True)
class MatchedPairs:
    """The matched-pairs sentence-segment word error test (MAPSSWE).

    Attributes:
        n_segments: Stretches with an error of either system, between words that both have right.
        mean: Errors of the first less those of the second, per segment.
        z: Mean over its standard error, normally distributed if the systems are equally good.
        p: Probability of a z at least as far from 0 if they are.
    """

    n_segments: int
    mean: float
    z: float
    p: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two systems on the same utterances.

    Attributes:
        difference: WER of the second less that of the first, a fraction.
        interval: Of the difference, by a paired bootstrap; None as for `rate_interval`.
        better: Share of the replicates in which the second has the lower WER; ties count half.
        mapsswe: None for fewer than two segments with errors, or if all differ alike.
    """

    difference: float
    interval: Interval | None
    better: float
    mapsswe: MatchedPairs | None


def compare(first: Score, second: Score) -> Comparison:
    """Compare two scores of the same utterances.

    Raises:
        DataError: The scores have other utterances, references or normalisers, or no words.
    """
    pairs = paired(first, second)
    if not (first.total.words.n_reference and second.total.words.n_reference):
        raise DataError("expected references with words, without which there is no WER to compare")
    counts = [(*_errors_and_words(a), *_errors_and_words(b), 1) for a, b in pairs]
    groups = group(first, np.array(counts, np.int64))
    means = replicate_rates(groups)  # per utterance: the two may have chosen other alternatives
    means = means[(means[:, 1] > 0) & (means[:, 3] > 0)]
    differences = means[:, 2] / means[:, 3] - means[:, 0] / means[:, 1]
    better = (differences < 0).mean() + (differences == 0).mean() / 2 if differences.size else 0.5
    return Comparison(
        second.total.wer - first.total.wer,
        interval_of(differences, groups),
        float(better),
        matched_pairs(first, second),
    )


def _errors_and_words(utterance: UtteranceScore) -> tuple[int, int]:
    return utterance.words.errors, utterance.words.n_reference


def paired(first: Score, second: Score) -> list[tuple[UtteranceScore, UtteranceScore]]:
    """Pair the utterances of two scores, in the order of the first.

    Raises:
        DataError: As `compare`.
    """
    if first.normaliser != second.normaliser:
        raise DataError(
            f"expected scores under one normaliser, got {first.normaliser} and "
            f"{second.normaliser}; score one again"
        )
    others = {utterance.id: utterance for utterance in second.utterances}
    different = [
        utterance.id
        for utterance in first.utterances
        if utterance.id not in others or others[utterance.id].reference != utterance.reference
    ]
    if different or len(others) != len(first.utterances):
        example = f", as {different[0]!r}" if different else ""
        raise DataError(
            f"expected scores of the same {len(first.utterances)} references, got "
            f"{len(others)} of which {len(different)} are missing or differ{example}"
        )
    return [(utterance, others[utterance.id]) for utterance in first.utterances]


def matched_pairs(first: Score, second: Score) -> MatchedPairs | None:
    """Test whether two systems make equally many errors, as sc_stats does.

    Segments are far enough apart that their errors are independent. Where a reference has
    alternatives, the two may have chosen different ones, so that each utterance is a segment.

    Returns:
        The test; None if there are fewer than two segments, or all have the same difference.

    References:
        Gillick and Cox, "Some statistical issues in the comparison of speech recognition
        algorithms", ICASSP 1989.
    """
    has_markup = first.has_markup or second.has_markup
    differences = [
        difference
        for a, b in paired(first, second)
        if a.words.errors or b.words.errors
        for difference in ([a.words.errors - b.words.errors] if has_markup else _segments(a, b))
    ]
    n = len(differences)
    deviation = float(np.std(differences, ddof=1)) if n > 1 else 0.0
    if not deviation:
        return None
    mean = sum(differences) / n
    z = mean / (deviation / math.sqrt(n))
    return MatchedPairs(n, mean, z, math.erfc(abs(z) / math.sqrt(2)))


def _segments(first: UtteranceScore, second: UtteranceScore) -> Iterator[int]:
    """Subtract the errors of each segment with an error of either."""
    is_open, n_correct, difference = False, 0, 0
    places = zip(_errors_by_place(first), _errors_by_place(second), strict=True)
    for place, (errors, other_errors) in enumerate(places):
        if errors or other_errors:
            is_open, n_correct = True, 0
            difference += errors - other_errors
        elif place % 2:  # a word, which both have right
            n_correct += 1
            if is_open and n_correct == MIN_CORRECT:
                yield difference
                is_open, difference = False, 0
    if is_open:
        yield difference


def _errors_by_place(utterance: UtteranceScore) -> list[int]:
    """Count errors: inserted words before each reference word, and that word, in turn."""
    places = [0]
    for edit in align_words(utterance.reference, utterance.hypothesis or ""):
        if edit.kind is EditKind.INSERTION:
            places[-1] += 1
        else:
            places += [int(edit.kind is not EditKind.HIT), 0]
    return places
