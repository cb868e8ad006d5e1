"""What systems heard under each condition: the table and picture of `benchmarks.robustness`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from asr.chart.axis import linear_axis, named_axis
from asr.chart.lines import Line, chart
from asr.chart.sheet import sheet
from asr.errors import counted
from benchmarks.degradations import CONDITIONS
from benchmarks.systems import System

TITLE = "Bad recordings: errors and time"
N_MINUTES = 10  # of each sound without speech


@dataclass(frozen=True, slots=True)
class Heard:
    """What a system made of the recordings of one condition.

    Attributes:
        condition: Its name.
        system: Its name.
        wer: In per cent, of all that the system heard; None where there is no speech.
        wer_sample: Of what peers hear.
        calibration_error: Of its words' confidences, in points; None where there is none.
        n_words: That it recognised.
        seconds: Of the whole process.
        cpu_seconds: Of it, on all cores.
        speed: Seconds of audio a second.
    """

    condition: str
    system: str
    wer: float | None
    wer_sample: float | None
    calibration_error: float | None
    n_words: int
    seconds: float
    cpu_seconds: float
    speed: float


def table(
    heard: Sequence[Heard], systems: Sequence[System], n_sample: int
) -> tuple[list[str], list[list[str]]]:
    """Arrange the columns and rows: errors of all systems, then their speeds."""
    by_condition: dict[str, dict[str, Heard]] = {}
    for one in heard:
        by_condition.setdefault(one.condition, {})[one.system] = one
    names = [system.name for system in systems]
    ours = [system.name for system in systems if not system.is_peer]
    surest = [
        name
        for name in names
        if any(row[name].calibration_error is not None for row in by_condition.values())
    ]
    columns = [
        *("condition", *ours),
        *(f"{name}, {n_sample} of them" for name in names),
        *(f"{name}, calibration error" for name in surest),
        *(f"{name}, × real time" for name in names),
    ]
    rows = [
        [
            _title(condition),
            *(result(row[name]) for name in ours),
            *(_result_of_sample(row[name]) for name in names),
            *(_error(row[name].calibration_error) for name in surest),
            *(f"{row[name].speed:.0f}" for name in names),
        ]
        for condition, row in by_condition.items()
    ]
    return columns, rows


def _title(condition: str) -> str:
    if condition in CONDITIONS:
        return CONDITIONS[condition].title
    return f"{N_MINUTES} minutes of {condition}"


def result(heard: Heard) -> str:
    return counted(heard.n_words, "word") if heard.wer is None else f"{heard.wer:.2f}"


def _result_of_sample(heard: Heard) -> str:
    return result(replace(heard, wer=heard.wer_sample))


def _error(calibration_error: float | None) -> str:
    return "–" if calibration_error is None else f"{calibration_error:.1f}"


def picture(heard: Sequence[Heard], n_utterances: int, subset: str) -> str:
    """Draw errors on the sample: conditions from top to bottom, a line for each system."""
    speech = [one for one in heard if one.wer_sample is not None]
    names = list(dict.fromkeys(one.condition for one in speech))[::-1]
    lines = [
        Line(
            system,
            tuple(
                (one.wer_sample or 0.0, names.index(one.condition))
                for one in speech
                if one.system == system
            ),
            colour,
            has_dots=True,
            has_line=False,
        )
        for colour, system in enumerate(dict.fromkeys(one.system for one in speech))
    ]
    x = linear_axis("WER in per cent", [0.0, *(one.wer_sample or 0.0 for one in speech)])
    heading = f"{n_utterances} utterances of {subset}"
    return sheet([(heading, [chart(TITLE, lines, x, named_axis("", names))])])
