"""RESULTS.md: a row per score, all that it depends on, and the errors of each subset."""

from collections.abc import Sequence

from asr.report.error_section import error_section
from asr.report.summary import Fact, Summary, by_subset, shared_facts, within
from asr.text.markdown import code, count, escape, percent, table

N_NAMED = 10  # ids listed if more are missing

_HEADINGS = (
    *("", "subset", "condition"),
    *("WER %", "95 %", "CER %", "SER %", "sub", "del", "ins", "words", "utterances", "RTF"),
)
_MORE_HEADINGS = ("MER %", "WIL %")

_LEGEND = """\
WER, CER: errors summed over the subset, divided once by its reference words or characters; SER: the
share of utterances with an error. Subsets are never pooled. 95 %: bootstrap confidence interval of
the WER (Bisani and Ney, ICASSP 2004). sub, del, ins: words. RTF: seconds of computing per second of
audio."""


def results_page(title: str, summaries: Sequence[Summary], *, all_rates: bool = False) -> str:
    """Write the results of a recipe as Markdown.

    Every score has its row, and nothing is summed over two. The errors shown are those of each
    subset's best condition; its table of speakers has all conditions.

    Args:
        title: Of the page.
        summaries: In the order of the rows, at least one.
        all_rates: Add the match error rate and the lost word information.
    """
    headings = [*_HEADINGS, *(_MORE_HEADINGS if all_rates else ())]
    rows = [_row(summary, all_rates) for summary in summaries]
    parts = [
        f"# {escape(title)}",
        "Written by `asr report` from the counts of `asr score`; do not edit.",
        table(headings, rows, n_text=3),
        _LEGEND,
        *[note for summary in summaries for note in _gaps(summary)],
        "## Conditions",
        *_conditions(summaries),
        "## Errors",
        *map(error_section, by_subset(summaries)),
    ]
    return "\n\n".join(parts) + "\n"


def _row(summary: Summary, all_rates: bool) -> list[str]:
    total = summary.total
    more = (total.words.match_error_rate, total.words.information_lost) if all_rates else ()
    return [
        summary.key,
        summary.score_file.subset,
        summary.score_file.condition,
        percent(total.wer),
        within(summary.intervals["wer"]),
        percent(total.cer),
        percent(total.ser),
        count(total.words.substitutions),
        count(total.words.deletions),
        count(total.words.insertions),
        count(total.words.n_reference),
        count(total.n_utterances),
        summary.written_rtf,
        *map(percent, more),
    ]


def _gaps(summary: Summary) -> list[str]:
    missing, extra = summary.score_file.score.missing, summary.score_file.score.extra
    notes = []
    if missing:
        notes.append(f"**Missing, counted as deletions**, {summary.key}: {_ids(missing)}.")
    if extra:
        notes.append(f"**Without a reference, not counted**, {summary.key}: {_ids(extra)}.")
    return notes


def _ids(ids: Sequence[str]) -> str:
    shown = ", ".join(map(code, ids[:N_NAMED]))
    return f"{count(len(ids))} ({shown}{', …' if len(ids) > N_NAMED else ''})"


def _conditions(summaries: Sequence[Summary]) -> list[str]:
    """List everything that the scores depend on: what they share, then what each has alone."""
    shared = shared_facts(summaries)
    own = [[fact for fact in summary.facts if fact not in shared] for summary in summaries]
    return [
        *(["### All", _listed(shared)] if shared else []),
        *[
            part
            for summary, facts in zip(summaries, own, strict=True)
            for part in (f"### {summary.key}", _listed(facts))
        ],
    ]


def _listed(facts: Sequence[Fact]) -> str:
    return "\n".join(
        f"- {fact.name}: {code(fact.value) if fact.is_code else escape(fact.value)}"
        for fact in facts
    )
