"""Paired timing: candidates take turns, so that the machine's other work hits all of them alike."""

import datetime
import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from asr.provenance import provenance

RESULTS = Path(__file__).with_name("results")

Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds of each round of one candidate."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """Seconds."""
        return statistics.median(self.seconds)


def alternate(
    candidates: Mapping[Key, Callable[[], object]], *, n_rounds: int
) -> dict[Key, Timing]:
    """Time candidates in turns, after one round that does not count."""
    seconds: dict[Key, list[float]] = {name: [] for name in candidates}
    for round_number in range(n_rounds + 1):
        for name, run in candidates.items():
            began = time.perf_counter()
            run()
            if round_number:
                seconds[name].append(time.perf_counter() - began)
    return {name: Timing(tuple(times)) for name, times in seconds.items()}


def ratio(numerator: Timing, denominator: Timing) -> str:
    """Write the ratio of two candidates, round by round: median and range."""
    pairs = zip(numerator.seconds, denominator.seconds, strict=True)
    return spread([a / b for a, b in pairs])


def spread(values: Sequence[float], decimals: int = 2) -> str:
    """Write the median and the range of a figure over the rounds."""
    middle, least, most = statistics.median(values), min(values), max(values)
    return f"{middle:.{decimals}f} ({least:.{decimals}f} – {most:.{decimals}f})"


def write_results(
    name: str,
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    notes: str,
    *,
    versions: str | None = None,
    folder: Path = RESULTS,
) -> None:
    """Print a table, and write it with all that it depends on to NAME.md.

    Args:
        name: The benchmark's module.
        title: Heading of the page.
        columns: Heading of each column.
        rows: A cell a column.
        notes: What was measured, and how.
        versions: What ran; by default Python and the packages of this process.
        folder: Where the page goes.
    """
    where = provenance(["python", "-m", f"benchmarks.{name}", *sys.argv[1:]])
    table = [columns, ["---"] * len(columns), *rows]
    text = f"# {title}\n\n{notes}\n\n" + "".join(f"| {' | '.join(row)} |\n" for row in table)
    text += (
        f"\n{_today()}, `{where.command}`, commit {where.commit or 'unknown'}, "
        f"{where.hardware}, {versions or where.versions}.\n"
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.md").write_text(text, encoding="utf-8")
    print(text)


def write_figures(name: str, figures: Mapping[str, Any], folder: Path = RESULTS) -> None:
    """Write the figures of every round to NAME.json, for programs."""
    where = provenance(["python", "-m", f"benchmarks.{name}", *sys.argv[1:]])
    made = {"date": _today(), "commit": where.commit, "hardware": where.hardware}
    folder.mkdir(parents=True, exist_ok=True)
    page = json.dumps({**made, **figures}, indent=2)
    (folder / f"{name}.json").write_text(page + "\n", encoding="utf-8")


def _today() -> str:
    return f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}"
