"""Paired timing: candidates take turns, so that the machine's other work hits all of them alike."""

import argparse
import datetime
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from asr.provenance import provenance

RESULTS = Path(__file__).with_name("results")


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds of each round of one candidate."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """Seconds."""
        return statistics.median(self.seconds)


def take_no_words(description: str | None) -> None:
    """Answer --help, and refuse other words, before a benchmark that takes none begins."""
    argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()


def alternate(
    candidates: Mapping[str, Callable[[], object]], *, n_rounds: int
) -> dict[str, Timing]:
    """Time candidates in turns, after one round that does not count."""
    seconds: dict[str, list[float]] = {name: [] for name in candidates}
    for round_number in range(n_rounds + 1):
        for name, run in candidates.items():
            began = time.perf_counter()
            run()
            if round_number:
                seconds[name].append(time.perf_counter() - began)
    return {name: Timing(tuple(times)) for name, times in seconds.items()}


def ratio(numerator: Timing, denominator: Timing) -> str:
    """Write the ratio of two candidates, round by round: median and range."""
    ratios = sorted(a / b for a, b in zip(numerator.seconds, denominator.seconds, strict=True))
    return f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} – {ratios[-1]:.2f})"


def write_results(
    name: str, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], notes: str
) -> None:
    """Print a table, and write it with all that it depends on to results/NAME.md."""
    where = provenance(["python", "-m", f"benchmarks.{name}"])
    table = [columns, ["---"] * len(columns), *rows]
    text = f"# {title}\n\n{notes}\n\n" + "".join(f"| {' | '.join(row)} |\n" for row in table)
    text += (
        f"\n{datetime.datetime.now(datetime.UTC):%Y-%m-%d}, `{where.command}`, "
        f"commit {where.commit or 'unknown'}, {where.hardware}, {where.versions}.\n"
    )
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.md").write_text(text, encoding="utf-8")
    print(text)
