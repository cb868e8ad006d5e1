"""Breakdown: error rates of parts of a subset, each with its interval."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from asr.wer.interval import Groups, Interval, group, interval_of, replicate_rates
from asr.wer.score import Score

N_STRATA = 8  # at most
MIN_UTTERANCES = 10  # in a stratum, so that its rate means something
N_REPLICATES = 1_000

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Stratum:
    """A part of a subset, in which something lies between two values.

    Attributes:
        low: The lowest value in it.
        high: The highest.
        rate: Errors per unit, a fraction.
        interval: Of the rate, 95 %; None if undefined.
        n_utterances: Utterances in it.
        n_units: Reference words in it, or whatever the rate is divided by.
    """

    low: float
    high: float
    rate: float
    interval: Interval | None
    n_utterances: int
    n_units: int


def by_value(score: Score, values: Floats, counts: Ints) -> list[Stratum]:
    """Split utterances into strata of about as many each, by a value.

    Args:
        score: Names the speakers.
        values: (utterances,); NaN: unknown, and left out.
        counts: (utterances, 2): errors and units.

    Returns:
        In rising order, without those that have no units; empty if there are too few utterances for
        two strata.
    """
    known = values[np.isfinite(values)]
    n_strata = min(N_STRATA, len(known) // MIN_UTTERANCES)
    if n_strata < 2 or known.min() == known.max():
        return []
    edges = np.unique(np.quantile(known, np.arange(1, n_strata) / n_strata))
    places = np.searchsorted(edges, values, "left")  # NaN: after the last
    places[~np.isfinite(values)] = -1
    strata = [stratum(score, values, counts, places == i) for i in range(len(edges) + 1)]
    return [one for one in strata if one is not None]


def stratum(score: Score, values: Floats, counts: Ints, mask: NDArray[np.bool_]) -> Stratum | None:
    """Measure the utterances in a mask, (utterances,); None if they have no units."""
    inside = counts * mask[:, None]
    errors, n_units = inside.sum(axis=0).tolist()
    if not n_units:
        return None
    counting = np.flatnonzero(inside.any(axis=1)).tolist()
    part = replace(score, utterances=tuple(score.utterances[i] for i in counting))
    groups = group(part, inside[counting])  # by speaker, if the stratum has enough of them
    low, high = float(values[mask].min()), float(values[mask].max())
    return Stratum(low, high, errors / n_units, _interval(groups), int(mask.sum()), n_units)


def by_speaker(score: Score) -> list[tuple[str, Stratum]]:
    """Measure each known speaker by resampling its utterances, the best speaker first."""
    rows: dict[str | None, list[tuple[int, int]]] = {}
    for utterance in score.utterances:
        words = utterance.words
        rows.setdefault(utterance.speaker, []).append((words.errors, words.n_reference))
    tallies = [(name, one) for name, one in score.by_speaker().items() if one.words.n_reference]
    strata = []
    for i, (speaker, tally) in enumerate(sorted(tallies, key=lambda item: item[1].wer), 1):
        interval = _interval(Groups("utterances", np.array(rows[speaker], np.int64)))
        one = Stratum(i, i, tally.wer, interval, tally.n_utterances, tally.words.n_reference)
        strata.append((speaker, one))
    return strata


def _interval(groups: Groups) -> Interval | None:
    rates = replicate_rates(groups, n_replicates=N_REPLICATES)
    return interval_of(rates[:, 0], groups)
