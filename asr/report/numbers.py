"""Numbers: the report's figures as JSON, for scripts and dashboards."""

import json
import math
import re
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from asr.report.summary import Summary
from asr.wer.interval import RATES

FORMAT = "asr-report-1"

# Control characters and turns of direction that JSON allows, but no terminal should get.
_HIDDEN = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def results_json(title: str, summaries: Sequence[Summary]) -> str:
    """Write the figures of scores as JSON; rates are fractions, null where they are infinite.

    `rtf` is null if nothing is recorded of the decoding run.
    """
    record = {"format": FORMAT, "title": title, "scores": [_record(one) for one in summaries]}
    text = json.dumps(record, indent=2, ensure_ascii=False) + "\n"
    return _HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _record(summary: Summary) -> dict[str, Any]:
    total, decoding = summary.total, summary.score_file.decoding
    rates: dict[str, float | None] = {rate: _finite(getattr(total, rate)) for rate in RATES}
    ends = {rate: interval for rate, interval in summary.intervals.items() if interval}
    return {
        "subset": summary.score_file.subset,
        "condition": summary.score_file.condition,
        **rates,
        "mer": total.words.match_error_rate,
        "wil": total.words.information_lost,
        "intervals": {rate: [interval.low, interval.high] for rate, interval in ends.items()},
        "rtf": decoding.rtf if decoding else None,
        "n_utterances": total.n_utterances,
        "words": asdict(total.words),
        "characters": asdict(total.characters),
        "missing": list(summary.score_file.score.missing),
        "extra": list(summary.score_file.score.extra),
        "facts": {fact.name: fact.value for fact in summary.facts},
    }


def _finite(rate: float) -> float | None:
    return rate if math.isfinite(rate) else None
