"""Figures: the errors of a subset in pictures."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asr.chart.axis import Axis, linear_axis, named_axis
from asr.chart.estimates import Estimate, estimates_chart
from asr.chart.matrix import matrix_chart
from asr.confidence.quality import (
    N_BINS,
    area_under_curve,
    bin_numbers,
    calibration_error,
    normalised_cross_entropy,
)
from asr.errors import counted
from asr.report.acoustics import Acoustics
from asr.report.breakdown import Floats, Stratum, by_speaker, by_value, stratum
from asr.report.material import Material
from asr.report.summary import within
from asr.text.markdown import count, percent
from asr.wer.alignment import EditKind, align_words
from asr.wer.confusions import confusions
from asr.wer.interval import errors_and_units

FREQUENCIES = (0, 9, 99, 999)  # the last count of each group of words but the last
FREQUENCY_NAMES = ("never", "1–9", "10–99", "100–999", "1,000+")
N_CHARACTERS, N_WORDS = 30, 24  # in a matrix at most
N_PAIRS = 20_000  # of substituted words that are compared; rarer ones would change no shade
MIN_WORDS = 2  # that are wrong
NOTHING = "∅"

_FIFTHS = tuple((i / 5, f"{i / 5:g}") for i in range(6))


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture, with what it shows in a few words and in a sentence."""

    title: str
    caption: str
    svg: str


def figures(
    material: Material,
    acoustics: Mapping[str, Acoustics],
    training_words: Mapping[str, int] | None,
) -> list[Figure]:
    """Draw all figures for which there is enough material.

    Args:
        material: Of the subset.
        acoustics: By utterance id; of some only, or of none.
        training_words: How often each word was in the training texts; None: unknown.
    """
    made = [
        _speaker_figure(material),
        *_utterance_figures(material, acoustics),
        _frequency_figure(material, training_words) if training_words is not None else None,
        _reliability_figure(material),
        _word_figure(material),
        _character_figure(material),
    ]
    return [figure for figure in made if figure is not None]


def _speaker_figure(material: Material) -> Figure | None:
    speakers = by_speaker(material.score)
    if len(speakers) < 2:
        return None
    estimates = [_estimate(one, f"speaker {name}") for name, one in speakers]
    rates = [one.rate for _, one in speakers]
    best, worst = speakers[0], speakers[-1]
    median = percent(float(np.median(rates)))
    caption = (
        f"{count(len(speakers))} speakers, from {percent(best[1].rate)} % ({best[0]}) to "
        f"{percent(worst[1].rate)} % ({worst[0]}); the median is {median} %."
    )
    x = linear_axis("speakers, the best first", [0, len(speakers)], least_step=1)
    return _rate_figure("By speaker", caption, estimates, x, material)


def _utterance_figures(material: Material, acoustics: Mapping[str, Acoustics]) -> Iterator[Figure]:
    """Draw the WER by properties of utterances that are numbers."""
    utterances = material.score.utterances
    n_words = [one.words.n_reference for one in utterances]
    durations = [material.durations.get(one.id) for one in utterances]
    rates = [n / s if s else None for n, s in zip(n_words, durations, strict=True)]
    measured = [acoustics.get(one.id) for one in utterances]
    columns: Sequence[tuple[str, str, str, Sequence[float | None]]] = (
        ("By length", "words in the reference", "", n_words),
        ("By duration", "seconds", "", durations),
        ("By speaking rate", "words per second", "", rates),
        ("By level", "dB of full scale", "Mean power of the recording. ",
         [one.level if one else None for one in measured]),
        ("By signal-to-noise ratio", "dB",
         "Estimated: the 90th percentile of 20 ms frames’ power over the 10th. ",
         [one.snr if one else None for one in measured]),
    )  # fmt: skip
    counts = errors_and_units(material.score, "wer")
    for title, unit, told, column in columns:
        values = np.array(column, np.float64)  # None becomes NaN
        strata = by_value(material.score, values, counts)
        if not strata:
            continue
        estimates = [_estimate(one, f"{_span(one)} {unit}") for one in strata]
        n_known = int(np.isfinite(values).sum())
        of = "" if n_known == len(values) else f"Measured in {counted(n_known, 'utterance')}."
        x = linear_axis(unit, values.tolist())
        yield _rate_figure(title, f"{told}{of}", estimates, x, material)


def _frequency_figure(material: Material, training_words: Mapping[str, int]) -> Figure | None:
    """Draw how many reference words are missed, by how often training saw them."""
    counts = np.zeros((len(FREQUENCY_NAMES), len(material.aligned), 2), np.int64)
    for i, edits in enumerate(material.aligned):
        for edit in edits:
            if edit.reference and edit.kind is not EditKind.OMISSION:
                place = bisect_left(FREQUENCIES, training_words.get(edit.reference, 0))
                counts[place, i] += edit.kind is not EditKind.HIT, 1
    estimates, missed = [], []
    for place, name in enumerate(FREQUENCY_NAMES):
        values = np.full(len(material.aligned), float(place))
        one = stratum(material.score, values, counts[place], counts[place][:, 1] > 0)
        if one is not None:
            estimates.append(_estimate(one, f"seen {name} in training", rate="missed"))
            missed.append(one)
    total = sum(one.n_units for one in missed)
    outside = missed[0].n_units if missed and missed[0].low == 0 else 0
    if not total:
        return None
    caption = (
        "Reference words substituted or deleted, by how often the training texts have them. "
        f"{percent(outside / total)} % are outside their vocabulary."
    )
    x = named_axis("times in the training texts", FREQUENCY_NAMES)
    y = _rate_axis("missed %", estimates)
    chart = estimates_chart("Missed words by frequency", estimates, x, y)
    return Figure("By word frequency", caption, chart)


def _reliability_figure(material: Material) -> Figure | None:
    """Draw the share of correct words by their confidence."""
    confidences, is_correct, owners = _labelled(material)
    if not len(confidences):
        return None
    bin_of = bin_numbers(confidences)
    estimates = []
    for i in range(N_BINS):
        inside = bin_of == i
        counts = np.zeros((len(material.aligned), 2), np.int64)
        np.add.at(
            counts,
            owners[inside],
            np.stack([is_correct[inside], np.ones(inside.sum())], 1).astype(np.int64),
        )
        values = np.full(len(counts), confidences[inside].mean() if inside.any() else np.nan)
        one = stratum(material.score, values, counts, counts[:, 1] > 0)
        if one is not None:
            told = f"confidence {i / N_BINS:g} to {(i + 1) / N_BINS:g}, mean {one.low:.2f}"
            ends = (one.interval.low, one.interval.high) if one.interval else None
            hint = f"{told}: {percent(one.rate)} % of {counted(one.n_units, 'word')} are right"
            estimates.append(Estimate(one.low, one.low, one.rate, ends, hint))
    cross_entropy = normalised_cross_entropy(confidences, is_correct)
    area = area_under_curve(confidences, is_correct)
    caption = (
        f"Of {counted(len(confidences), 'word')}, {percent(float(is_correct.mean()))} % are right. "
        f"Expected calibration error {percent(calibration_error(confidences, is_correct))} %"
        + (f", NCE {cross_entropy:.3f}" if cross_entropy is not None else "")
        + (f", area under the curve {area:.3f}" if area is not None else "")
        + ". On the diagonal, a confidence is a probability."
    )
    x, y = Axis("confidence", 0.0, 1.0, _FIFTHS), Axis("share of right words", 0.0, 1.0, _FIFTHS)
    chart = estimates_chart("Reliability", estimates, x, y, expected=((0, 0), (1, 1)))
    return Figure("Reliability of confidences", caption, chart)


def _labelled(material: Material) -> tuple[Floats, NDArray[np.bool_], NDArray[np.int64]]:
    """Collect each word's confidence, whether it is right, and its utterance's position."""
    rows = [
        (word.confidence, edit.kind is EditKind.HIT, i)
        for i in range(len(material.aligned))
        for edit, word in material.steps(i)
        if word is not None and word.confidence is not None
    ]
    confidences, is_correct, owners = zip(*rows, strict=True) if rows else ((), (), ())
    return np.array(confidences), np.array(is_correct, np.bool_), np.array(owners, np.int64)


def _character_figure(material: Material) -> Figure | None:
    """Draw which characters are confused in substituted words."""
    pairs = Counter(
        e for edits in material.aligned for e in edits if e.kind is EditKind.SUBSTITUTION
    )
    counts: Counter[tuple[str, str]] = Counter()
    for pair, n in pairs.most_common(N_PAIRS):
        for edit in align_words(" ".join(pair.reference), " ".join(pair.hypothesis)):
            if edit.kind is not EditKind.HIT:
                counts[edit.reference or NOTHING, edit.hypothesis or NOTHING] += n
    if not counts:
        return None
    (row, other), most = counts.most_common(1)[0]
    caption = (
        f"Within substituted words; {NOTHING}: no character. The most frequent is {row} → {other}, "
        f"{counted(most, 'time')}. Shades grow with the square root of the count."
    )
    names = sorted(_frequent(counts, N_CHARACTERS))
    return Figure("Confused characters", caption, _matrix("Confused characters", counts, names))


def _word_figure(material: Material) -> Figure | None:
    """Draw how the words that are most often wrong are confused with each other."""
    found = confusions(material.score, material.aligned)
    counts = Counter(dict(found.substitutions))
    counts.update({(word, NOTHING): n for word, n in found.deletions})
    counts.update({(NOTHING, word): n for word, n in found.insertions})
    names = _frequent(counts, N_WORDS)
    if len(names) < MIN_WORDS:
        return None
    n_shown = sum(n for pair, n in counts.items() if set(pair) <= {*names, NOTHING})
    caption = (
        f"The {count(len(names))} words with the most errors, among themselves: "
        f"{percent(n_shown / counts.total())} % of the errors in what was recognised. "
        f"{NOTHING}: deleted or inserted."
    )
    return Figure("Confused words", caption, _matrix("Confused words", counts, names))


def _frequent(counts: Counter[tuple[str, str]], n_most: int) -> list[str]:
    """Choose what most of the confusions are of, the most frequent first."""
    seen: Counter[str] = Counter()
    for (row, other), n in counts.items():
        seen.update({row: n, other: n} if row != other else {row: n})
    del seen[NOTHING]
    ranked = sorted(seen.items(), key=lambda item: (-item[1], item[0]))
    return [name for name, _ in ranked[:n_most]]


def _matrix(title: str, counts: Mapping[tuple[str, str], int], names: Sequence[str]) -> str:
    """Draw the confusions of some names with each other and with nothing."""
    shown = [*names, NOTHING]
    inside = {k: n for k, n in counts.items() if k[0] in shown and k[1] in shown}
    return matrix_chart(title, inside, shown, ("said", "recognised"))


def _rate_figure(
    title: str, caption: str, estimates: Sequence[Estimate], x: Axis, material: Material
) -> Figure:
    mean = 100 * material.score.total.wer
    y = _rate_axis("WER %", estimates, mean)
    chart = estimates_chart(
        f"WER {title.lower()}", estimates, x, y, expected=((x.low, mean), (x.high, mean))
    )
    return Figure(title, caption, chart)


def _rate_axis(title: str, estimates: Sequence[Estimate], *others: float) -> Axis:
    ends = [end for one in estimates for end in (one.value, *(one.interval or ()))]
    return linear_axis(title, [0.0, *ends, *others])


def _estimate(one: Stratum, told: str, *, rate: str = "WER") -> Estimate:
    """Turn a stratum into per cent, with its hint."""
    ends = (100 * one.interval.low, 100 * one.interval.high) if one.interval else None
    around = f" ({within(one.interval)})" if one.interval else ""
    units = f"{counted(one.n_utterances, 'utterance')}, {counted(one.n_units, 'word')}"
    hint = f"{told}: {rate} {percent(one.rate)} %{around}, {units}"
    return Estimate(one.low, one.high, 100 * one.rate, ends, hint)


def _span(one: Stratum) -> str:
    low, high = (
        f"{value:,.0f}" if abs(value) >= 99.5 else f"{value:.3g}" for value in (one.low, one.high)
    )
    return (low if low == high else f"{low} to {high}").replace("-", "−")
