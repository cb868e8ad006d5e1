"""RESULTS.md: a row per score, the settings of each condition, and the errors of each subset."""

from collections import Counter
from collections.abc import Sequence

from asr.errors import DataError
from asr.provenance import Provenance
from asr.report.error_section import error_section
from asr.text.markdown import code, count, escape, percent, table
from asr.wer.interval import Interval, wer_interval
from asr.wer.score_file import DecodingRecord, ScoreFile

N_NAMED = 10  # ids listed if more are missing

_HEADINGS = (
    *("subset", "condition"),
    *("WER %", "95 %", "CER %", "SER %", "sub", "del", "ins", "words", "utterances", "RTF"),
)

_LEGEND = """\
WER, CER: errors summed over the subset, divided once by its reference words or characters; SER: the
share of utterances with an error. Subsets are never pooled. 95 %: bootstrap confidence interval of
the WER (Bisani and Ney, ICASSP 2004). sub, del, ins: words. RTF: seconds of computing per second of
audio."""


def results_page(title: str, scores: Sequence[ScoreFile]) -> str:
    """Write the results of a recipe as Markdown.

    Every score has its row, and nothing is summed over two. The errors shown are those of each
    subset's best condition; its table of speakers has all conditions.

    Args:
        title: Of the page.
        scores: In the order of the rows; no two with the same subset and condition.

    Raises:
        DataError: There is no score, or two have the same subset and condition.
    """
    _check(scores)
    intervals = [wer_interval(score_file.score) for score_file in scores]
    subsets = _by_subset(scores)
    names = [_name(score_file, len(subsets)) for score_file in scores]
    parts = [
        f"# {escape(title)}",
        "Written by `asr report` from the counts of `asr score`; do not edit.",
        table(_HEADINGS, list(map(_row, scores, intervals)), n_text=2),
        _LEGEND,
        *[note for pair in zip(names, scores, strict=True) for note in _gaps(*pair)],
        "## Conditions",
        *map(_condition_section, names, scores, intervals),
        "## Errors",
        *map(error_section, subsets),
    ]
    return "\n\n".join(parts) + "\n"


def _check(scores: Sequence[ScoreFile]) -> None:
    if not scores:
        raise DataError("expected scores to report, got none")
    for (subset, condition), n in Counter((s.subset, s.condition) for s in scores).items():
        if n > 1:
            raise DataError(f"{n} scores are of {subset!r} under the condition {condition!r}")


def _by_subset(scores: Sequence[ScoreFile]) -> list[list[ScoreFile]]:
    subsets: dict[str, list[ScoreFile]] = {}
    for score_file in scores:
        subsets.setdefault(score_file.subset, []).append(score_file)
    return list(subsets.values())


def _name(score_file: ScoreFile, n_subsets: int) -> str:
    """Name a score by its condition, after its subset if there are several."""
    condition = escape(score_file.condition)
    return condition if n_subsets == 1 else f"{escape(score_file.subset)}: {condition}"


def _row(score_file: ScoreFile, interval: Interval | None) -> list[str]:
    total = score_file.score.total
    rtf = score_file.decoding.rtf if score_file.decoding else None
    return [
        score_file.subset,
        score_file.condition,
        percent(total.wer),
        f"{percent(interval.low)} – {percent(interval.high)}" if interval else "–",
        percent(total.cer),
        percent(total.ser),
        count(total.words.substitutions),
        count(total.words.deletions),
        count(total.words.insertions),
        count(total.words.n_reference),
        count(total.n_utterances),
        f"{rtf:.3f}" if rtf is not None else "–",
    ]


def _gaps(name: str, score_file: ScoreFile) -> list[str]:
    missing, extra = score_file.score.missing, score_file.score.extra
    notes = []
    if missing:
        notes.append(f"**Missing, counted as deletions**, {name}: {_ids(missing)}.")
    if extra:
        notes.append(f"**Without a reference, not counted**, {name}: {_ids(extra)}.")
    return notes


def _ids(ids: Sequence[str]) -> str:
    shown = ", ".join(map(code, ids[:N_NAMED]))
    return f"{count(len(ids))} ({shown}{', …' if len(ids) > N_NAMED else ''})"


def _condition_section(name: str, score_file: ScoreFile, interval: Interval | None) -> str:
    """List everything that a score depends on."""
    scoring = score_file.scoring
    facts = [
        *_decoding_facts(score_file.decoding),
        f"scored by {code(scoring.command)}, {_commit(scoring)}, {scoring.time}",
        f"normaliser of both sides: {score_file.score.normaliser}",
        f"interval: {_resampling(interval)}",
    ]
    return "\n".join([f"### {name}", "", *[f"- {fact}" for fact in facts]])


def _decoding_facts(decoding: DecodingRecord | None) -> list[str]:
    if decoding is None:
        return ["decoded by another system, of which nothing is recorded"]
    made = decoding.provenance
    text = f", trained on text normalised by {decoding.normaliser}" if decoding.normaliser else ""
    return [
        f"decoded by {code(made.command)}, {_commit(made)}, {made.time}",
        f"model: {code(decoding.model)}, config {code(decoding.config_hash)}{text}",
        f"search: {escape(decoding.search)}",
        f"hardware: {escape(made.hardware)}",
        f"software: {escape(made.versions)}",
        f"speed: {decoding.audio_seconds:,.0f} s of audio in {decoding.computing_seconds:,.0f} s",
    ]


def _commit(made: Provenance) -> str:
    """Name the commit, or the versions of an installed package, which has none."""
    return f"commit {made.commit}" if made.commit else f"no commit ({made.versions})"


def _resampling(interval: Interval | None) -> str:
    if interval is None:
        return "none; it takes two speakers or utterances, with words"
    resampled = f"{count(interval.n_resampled)} {interval.resampled}"
    return f"{count(interval.n_replicates)} bootstrap replicates of {resampled}"
