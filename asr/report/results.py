"""RESULTS.md: one condition a row, what each figure depends on, and what went wrong."""

from collections import Counter
from collections.abc import Sequence

from asr.errors import DataError
from asr.provenance import Provenance
from asr.report.error_section import error_section
from asr.report.markdown import code, count, percent, table
from asr.wer.interval import Interval, wer_interval
from asr.wer.score_file import Condition, Decoding

N_NAMED = 10  # ids that are listed where more are missing

_HEADINGS = (
    *("subset", "condition"),
    *("WER %", "95 %", "CER %", "sub", "del", "ins", "words", "utterances", "RTF"),
)

_LEGEND = """\
WER, CER: errors summed over the subset, divided once by the words or characters of its references;
subsets are never pooled. 95 %: the interval of the WER, from the bootstrap (Bisani and Ney, ICASSP
2004). sub, del, ins: words. RTF: seconds of computing per second of audio."""


def report(title: str, conditions: Sequence[Condition]) -> str:
    """Write the results of a recipe as Markdown.

    Every condition has its row, and nothing is summed over two. The errors shown are those of each
    subset's best condition; its table of speakers has all conditions.

    Args:
        title: What was done, for the heading.
        conditions: In the order of the rows; subset and name together tell them apart.

    Returns:
        The text of RESULTS.md; the same conditions give the same text.

    Raises:
        DataError: There is no condition, or two have the same subset and name.
    """
    _check(conditions)
    intervals = [wer_interval(condition.score) for condition in conditions]
    parts = [
        f"# {title}",
        "Written by `asr report` from the counts that `asr score` took; not to be edited.",
        table(_HEADINGS, list(map(_row, conditions, intervals)), n_text=2),
        _LEGEND,
        *_gaps(conditions),
        "## What each figure depends on",
        *map(_dependencies, conditions, intervals),
        "## What goes wrong",
        *map(error_section, _by_subset(conditions)),
    ]
    return "\n\n".join(parts) + "\n"


def _check(conditions: Sequence[Condition]) -> None:
    """Refuse conditions that a table could not tell apart."""
    if not conditions:
        raise DataError("expected scores to report, got none")
    names = Counter((condition.subset, condition.name) for condition in conditions)
    for (subset, name), n in names.items():
        if n > 1:
            raise DataError(f"{n} scores are of {subset!r} under the condition {name!r}")


def _by_subset(conditions: Sequence[Condition]) -> list[list[Condition]]:
    """Group conditions by subset, in the order in which the subsets come first."""
    subsets: dict[str, list[Condition]] = {}
    for condition in conditions:
        subsets.setdefault(condition.subset, []).append(condition)
    return list(subsets.values())


def _row(condition: Condition, interval: Interval | None) -> list[str]:
    """Write the figures of a condition."""
    total = condition.score.total
    rtf = condition.decoding.rtf if condition.decoding else None
    return [
        condition.subset,
        condition.name,
        percent(total.wer),
        f"{percent(interval.low)} – {percent(interval.high)}" if interval else "–",
        percent(total.cer),
        count(total.words.substitutions),
        count(total.words.deletions),
        count(total.words.insertions),
        count(total.words.n_reference),
        count(total.n_utterances),
        f"{rtf:.3f}" if rtf is not None else "–",
    ]


def _gaps(conditions: Sequence[Condition]) -> list[str]:
    """Say which hypotheses are missing or have no reference; nothing if none are."""
    notes = []
    for condition in conditions:
        missing, extra = condition.score.missing, condition.score.extra
        where = _heading(condition)
        if missing:
            notes.append(f"**Missing, counted as deletions**, {where}: {_names(missing)}.")
        if extra:
            notes.append(f"**Without a reference, not counted**, {where}: {_names(extra)}.")
    return notes


def _heading(condition: Condition) -> str:
    """Name a condition in full."""
    return f"{condition.subset}: {condition.name}"


def _names(ids: Sequence[str]) -> str:
    """Count ids and list them, the first of them if they are many."""
    shown = ", ".join(map(code, ids[:N_NAMED]))
    return f"{count(len(ids))} ({shown}{', …' if len(ids) > N_NAMED else ''})"


def _dependencies(condition: Condition, interval: Interval | None) -> str:
    """List everything that a condition's figures depend on."""
    scoring = condition.scoring
    facts = [
        *_decoding_facts(condition.decoding),
        f"scored by {code(scoring.command)}, {_commit(scoring)}, {scoring.time}",
        f"normaliser of both sides: {condition.score.normaliser}",
        f"interval: {_draws(interval)}",
    ]
    return "\n".join([f"### {_heading(condition)}", "", *[f"- {fact}" for fact in facts]])


def _decoding_facts(decoding: Decoding | None) -> list[str]:
    """List what the hypotheses depend on."""
    if decoding is None:
        return ["decoded elsewhere; nothing is recorded of how"]
    made = decoding.provenance
    text = f", its text by {decoding.normaliser}" if decoding.normaliser else ""
    return [
        f"decoded by {code(made.command)}, {_commit(made)}, {made.time}",
        f"model: {code(decoding.model)}, config {code(decoding.config_hash)}{text}",
        f"search: {decoding.search}",
        f"hardware: {made.hardware}",
        f"software: {made.versions}",
        f"speed: {decoding.audio_seconds:,.0f} s of audio in {decoding.computing_seconds:,.0f} s",
    ]


def _commit(made: Provenance) -> str:
    """Name the code; a package that was installed has no commit, but its version is known."""
    return f"commit {made.commit}" if made.commit else f"no commit ({made.versions})"


def _draws(interval: Interval | None) -> str:
    """Say what the interval comes from."""
    if interval is None:
        return "none; it takes two speakers or utterances, with words"
    return f"{count(interval.replicates)} draws of {count(interval.n_drawn)} {interval.drawn}"
