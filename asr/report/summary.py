"""Summary: the rates of each score with their intervals, and all that they depend on.

Markdown, JSON and HTML are written from it, so that they cannot disagree.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from asr.errors import DataError
from asr.provenance import Provenance
from asr.text.markdown import count, percent, real_time_factor
from asr.wer.interval import RATES, Interval, Rate, rate_interval
from asr.wer.score import Tally
from asr.wer.score_file import DecodingRecord, ScoreFile


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that a score depends on; `is_code` marks what was typed or hashed."""

    name: str
    value: str
    is_code: bool = False


@dataclass(frozen=True, slots=True)
class Summary:
    """A score in figures.

    Attributes:
        key: A letter that stands for subset and condition wherever these would be too long.
        score_file: The score.
        total: Its counts.
        intervals: 95 %, by rate; None where a rate or its spread is undefined.
        facts: All that the figures depend on.
    """

    key: str
    score_file: ScoreFile
    total: Tally
    intervals: Mapping[Rate, Interval | None]
    facts: tuple[Fact, ...]

    @property
    def written_rtf(self) -> str:
        """The real-time factor, or a dash."""
        decoding = self.score_file.decoding
        return real_time_factor(decoding.rtf) if decoding and decoding.rtf is not None else "–"


def summaries(scores: Sequence[ScoreFile]) -> list[Summary]:
    """Summarise scores, in their order.

    Raises:
        DataError: There is no score, or two have the same subset and condition.
    """
    if not scores:
        raise DataError("expected scores to report, got none")
    for (subset, condition), n in Counter((s.subset, s.condition) for s in scores).items():
        if n > 1:
            raise DataError(f"{n} scores are of {subset!r} under the condition {condition!r}")
    return [_summary(_key(i), score_file) for i, score_file in enumerate(scores)]


def shared_facts(all_summaries: Sequence[Summary]) -> list[Fact]:
    """Choose the facts that are the same for all of several scores, to be told once."""
    if len(all_summaries) < 2:
        return []
    first, *others = all_summaries
    return [fact for fact in first.facts if all(fact in other.facts for other in others)]


def by_subset(all_summaries: Sequence[Summary]) -> list[list[Summary]]:
    """Gather what was scored on the same subset, in the order of its first score."""
    subsets: dict[str, list[Summary]] = {}
    for summary in all_summaries:
        subsets.setdefault(summary.score_file.subset, []).append(summary)
    return list(subsets.values())


def within(interval: Interval | None) -> str:
    """Write an interval in per cent."""
    return f"{percent(interval.low)} – {percent(interval.high)}" if interval else "–"


def _key(i: int) -> str:
    """Count in letters: A to Z, AA, AB and so on."""
    return (_key(i // 26 - 1) if i >= 26 else "") + chr(ord("A") + i % 26)


def _summary(key: str, score_file: ScoreFile) -> Summary:
    intervals = {rate: rate_interval(score_file.score, rate) for rate in RATES}
    facts = (
        *_decoding_facts(score_file.decoding),
        Fact("normaliser", f"{score_file.score.normaliser}, on both sides"),
        Fact("intervals", _resampling(intervals["wer"])),
        Fact("scored by", score_file.scoring.command, is_code=True),
        Fact("scored with", _when(score_file.scoring)),
    )
    return Summary(key, score_file, score_file.score.total, intervals, facts)


def _decoding_facts(decoding: DecodingRecord | None) -> list[Fact]:
    if decoding is None:
        return [Fact("decoded by", "another system, of which nothing is recorded")]
    made = decoding.provenance
    text = f", trained on text normalised by {decoding.normaliser}" if decoding.normaliser else ""
    audio, computing = map(_seconds, (decoding.audio_seconds, decoding.computing_seconds))
    speed = f"{audio} s of audio in {computing} s"
    rtf = f", RTF {real_time_factor(decoding.rtf)}" if decoding.rtf is not None else ""
    return [
        Fact("model", decoding.model, is_code=True),
        *([Fact("trained on", decoding.trained_on)] if decoding.trained_on else []),
        Fact("configuration", f"{decoding.config_hash}{text}"),
        Fact("search", decoding.search),
        Fact("speed", speed + rtf),
        Fact("hardware", made.hardware),
        Fact("software", made.versions),
        Fact("decoded by", made.command, is_code=True),
        Fact("decoded with", _when(made)),
    ]


def _seconds(seconds: float) -> str:
    """Write seconds, of a few a tenth as well: their ratio is the RTF, which stands beside them."""
    return f"{seconds:,.0f}" if seconds >= 100 else f"{seconds:.1f}"


def _when(made: Provenance) -> str:
    """Name the commit, or the versions of an installed package, which has none; and the time."""
    return f"{f'commit {made.commit}' if made.commit else made.versions}, {made.time}"


def _resampling(interval: Interval | None) -> str:
    if interval is None:
        return "none; they take two speakers or utterances, with words"
    resampled = f"{count(interval.n_resampled)} {interval.resampled}"
    return f"95 %, {count(interval.n_replicates)} bootstrap replicates of {resampled}"
