"""Rounds in which systems take turns, on one recording and in bulk: for `transcription`."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from asr.corpus.utterance import Utterance
from benchmarks.paired import Timing, alternate
from benchmarks.speech import Speech, seconds_of
from benchmarks.systems import DEFAULT, GREEDY, System, Usage, read_texts, run


@dataclass(frozen=True, slots=True)
class Measured:
    """A system's figures with one search.

    Attributes:
        one: Of the one recording, whole.
        bulk: Of a second of speech in bulk, without the start.
        one_usage: Of each process on the one recording.
        bulk_usage: Of each process in bulk, start included.
        texts: What was recognised in bulk, by id.
    """

    system: System
    search: str
    one: Timing
    bulk: Timing
    one_usage: Sequence[Usage]
    bulk_usage: Sequence[Usage]
    texts: Mapping[str, str]

    @property
    def is_clear(self) -> bool:
        """Whether bulk took longer than the one recording in every round."""
        return min(self.bulk.seconds) > 0

    @property
    def speeds(self) -> list[float]:
        """Seconds of speech a second, round by round."""
        return [1 / seconds for seconds in self.bulk.seconds]


@dataclass(frozen=True, slots=True)
class _Task:
    """A command that is measured: of one recording, or of many."""

    system: System
    search: str
    is_bulk: bool


def measure(
    systems: Sequence[System], one: Utterance, speech: Speech, *, n_rounds: int, n_threads: int
) -> list[Measured]:
    """Let all systems do everything in turns."""
    tasks = [
        _Task(system, search, is_bulk)
        for is_bulk in (False, True)
        for search in (DEFAULT, GREEDY)
        for system in systems
        if search in system.searches
    ]
    usages: dict[_Task, list[Usage]] = {task: [] for task in tasks}

    def run_task(task: _Task) -> None:
        what = "bulk" if task.is_bulk else "one recording"
        print(f"{what}, {task.search}: {task.system.name}", file=sys.stderr)
        usages[task].append(run(_command(task, one, speech, n_threads)))

    candidates: dict[_Task, Callable[[], object]] = {t: partial(run_task, t) for t in tasks}
    timings = alternate(candidates, n_rounds=n_rounds)

    def measured(system: System, search: str) -> Measured:
        single, bulk = (_Task(system, search, is_bulk) for is_bulk in (False, True))
        seconds = seconds_of(speech.heard(system)) - seconds_of([one])
        pairs = zip(timings[bulk].seconds, timings[single].seconds, strict=True)
        return Measured(
            system,
            search,
            one=timings[single],
            bulk=Timing(tuple((many - start) / seconds for many, start in pairs)),
            one_usage=usages[single][1:],
            bulk_usage=usages[bulk][1:],
            texts=read_texts(_hypotheses(bulk, speech)),
        )

    return [measured(system, search) for system in systems for search in system.searches]


def _command(task: _Task, one: Utterance, speech: Speech, n_threads: int) -> list[str]:
    system, search = task.system, task.search
    if not task.is_bulk:
        return system.transcribe(Path(one.audio_filepath), n_threads, search=search)
    manifest, output = speech.manifest(system), _hypotheses(task, speech)
    return system.decode(manifest, output, n_threads, search=search)


def _hypotheses(task: _Task, speech: Speech) -> Path:
    return speech.folder / f"{task.system.name}.{task.search}.jsonl"
