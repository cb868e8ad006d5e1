r"""From the start to thousands of files: a cold start, a folder, and short files by the thousand.

    python -m benchmarks.many_recordings --audio ../LibriSpeech/dev-clean \
        --python ours=../ours/bin/python --python peers=../peers/bin/python

  cold start      one recording of some 3 seconds: every system, in alternating rounds
  one by one      short files, a call each: a sample
  thousands       the same files and more as a folder, in one call
  a folder        a corpus as a folder, with each search, on one core and on all

The folders are transcribed by `asr transcribe FOLDER --output OUT --jobs N`, once each, by this
package alone: `benchmarks.transcription` has peers in bulk. The short files, each 1.5 seconds, are
made of the corpus. Audio hours per core-hour are hours of audio by hours of CPU time.

The environments, PATH being the Python of each, are those of `benchmarks.transcription`. With the
defaults and complete dev-clean two idle cores take about ten minutes and 500 MB of disk; for a try,
--files 40 --utterances 20 --rounds 1.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path

from asr.cli.numbers import at_least
from asr.corpus.utterance import Utterance
from benchmarks import memory
from benchmarks.memory import MB
from benchmarks.options import add_folder_options, add_system_options, option_parser
from benchmarks.paired import alternate, spread, write_figures, write_results
from benchmarks.speech import read_corpus, seconds_of, spread_out, write_one, write_short
from benchmarks.systems import (
    DEFAULT,
    GREEDY,
    System,
    Usage,
    find_systems,
    measure_installations,
    run,
    versions_of,
)

COLD = 3.0  # seconds of the first recording, about
SHORT = 1.5  # seconds of each of many
N_ONE_BY_ONE = 20  # of these, a call each

TITLE = "From the start to thousands of files: time and memory"
COLUMNS = (
    *("system", "search", "recordings", "jobs", "time, s", "files a second", "× real time"),
    *("audio hours per core-hour", *memory.COLUMNS),
)
NOTES = """Whole processes. One recording: {seconds:.1f} seconds, median and range of {n_rounds} \
alternating rounds behind one that does not count. All else once: {n_short} files of {short:g} \
seconds, made of the corpus, and the corpus itself, {n_corpus} files of {corpus} \
({hours:.1f} hours). Memory: resident, mapped files included, the median of each quarter of the \
run; then the most. Ours: {model}. How it is made: `benchmarks/many_recordings.py`."""


@dataclass(frozen=True, slots=True)
class Bulk:
    """What many recordings took.

    Attributes:
        search: How they were searched.
        what: They are, in a few words.
        n: So many.
        audio: Seconds of them.
        jobs: At a time.
        usage: Of the process, or of all in turn.
    """

    search: str
    what: str
    n: int
    audio: float
    jobs: int
    usage: Usage


def main() -> None:
    """Measure, and write the table."""
    options = _options()
    corpus = read_corpus(options.audio)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        first = write_one(folder / "first.wav", corpus, COLD)
        systems, _ = find_systems(options, folder / "first.wav")
        if systems[0].is_peer:
            raise SystemExit("this package does not work in any environment")
        rows, figures = _cold_starts(systems, folder / "first.wav", options)
        chosen = spread_out(corpus, options.utterances or len(corpus))
        bulks = list(_bulks(systems[0], corpus, chosen, folder, options))
    facts = {
        "seconds": first.duration,
        "n_rounds": options.rounds,
        "n_short": options.files,
        "short": SHORT,
        "n_corpus": len(chosen),
        "corpus": options.audio.resolve().name,
        "hours": seconds_of(chosen) / 3600,
        "model": options.model,
    }
    write_results(
        "many_recordings",
        TITLE,
        COLUMNS,
        [*rows, *(_row(systems[0].name, bulk) for bulk in bulks)],
        NOTES.format(**facts),
        versions=versions_of(measure_installations(systems)),
        folder=options.results,
    )
    page = {**facts, "cold_starts": figures, "bulk": [_figures(bulk) for bulk in bulks]}
    write_figures("many_recordings", page, options.results)


def _cold_starts(
    systems: Sequence[System], wav: Path, options: argparse.Namespace
) -> tuple[list[list[str]], list[dict[str, object]]]:
    """Time all systems on the first recording; their rows, and their figures."""
    pairs = [(system, search) for system in systems for search in system.searches]
    peaks = dict.fromkeys(pairs, 0)

    def transcribe(system: System, search: str) -> None:
        usage = _transcribe(system, search, options.threads, wav)
        peaks[system, search] = max(usage.memory.peak, peaks[system, search])

    candidates = {pair: partial(transcribe, *pair) for pair in pairs}
    timings = alternate(candidates, n_rounds=options.rounds)
    rows, figures = [], []
    for (system, search), timing in timings.items():
        peak, name = peaks[system, search], system.name
        cells = ["one", str(options.threads), spread(timing.seconds), "", "", "", ""]
        rows.append([name, search, *cells, f"{peak / MB:.0f}"])
        figure = {"system": name, "search": search, "seconds": timing.seconds, "peak_bytes": peak}
        figures.append(figure)
    return rows, figures


def _bulks(
    system: System,
    corpus: Sequence[Utterance],
    chosen: Sequence[Utterance],
    folder: Path,
    options: argparse.Namespace,
) -> Iterator[Bulk]:
    """Transcribe short files, one by one and all together, then what was chosen of the corpus."""
    files, jobs = write_short(folder / "short", corpus, SHORT, options.files), options.threads
    singles = [_transcribe(system, DEFAULT, jobs, file) for file in files[:N_ONE_BY_ONE]]
    n, what = len(singles), f"{SHORT:g} s each, a call each"
    yield Bulk(DEFAULT, what, n, SHORT * n, jobs, _sum(singles))
    n, what = len(files), f"{SHORT:g} s each, a folder"
    usage = _transcribe(system, DEFAULT, jobs, folder / "short", folder / "texts")
    yield Bulk(DEFAULT, what, n, SHORT * n, jobs, usage)
    (folder / "corpus").mkdir()
    for utterance in chosen:
        path = Path(utterance.audio_filepath).absolute()
        (folder / "corpus" / path.name).symlink_to(path)
    for search, jobs in product((DEFAULT, GREEDY), sorted({1, options.threads})):
        output = folder / f"{search}-{jobs}"
        usage = _transcribe(system, search, jobs, folder / "corpus", output)
        yield Bulk(search, "the corpus", len(chosen), seconds_of(chosen), jobs, usage)


def _transcribe(
    system: System, search: str, jobs: int, what: Path, output: Path | None = None
) -> Usage:
    """Transcribe a file, or a folder into another."""
    print(f"{system.name}, {search}, {jobs} at a time: {what.name}", file=sys.stderr)
    return run(system.transcribe(what, jobs, search=search, output=output))


def _sum(usages: Sequence[Usage]) -> Usage:
    """Add up processes that ran one after the other; memory over time is of the last one."""
    most = max(usage.memory.peak for usage in usages)
    return Usage(
        peak=max(usage.peak for usage in usages),
        cpu=sum(usage.cpu for usage in usages),
        seconds=sum(usage.seconds for usage in usages),
        memory=replace(usages[-1].memory, peak=most),
    )


def _row(name: str, bulk: Bulk) -> list[str]:
    usage = bulk.usage
    return [
        name,
        bulk.search,
        f"{bulk.n}: {bulk.what}",
        str(bulk.jobs),
        f"{usage.seconds:.1f}",
        f"{bulk.n / usage.seconds:.1f}",
        f"{bulk.audio / usage.seconds:.1f}",
        f"{bulk.audio / usage.cpu:.1f}",
        *usage.memory.cells,
    ]


def _figures(bulk: Bulk) -> dict[str, object]:
    """Gather the figures of many recordings, for programs."""
    return {
        "search": bulk.search,
        "what": bulk.what,
        "n": bulk.n,
        "audio_seconds": bulk.audio,
        "jobs": bulk.jobs,
        "seconds": bulk.usage.seconds,
        "cpu_seconds": bulk.usage.cpu,
        **bulk.usage.memory.figures,
    }


def _options() -> argparse.Namespace:
    parser = option_parser(__doc__)
    add_system_options(parser)
    add_folder_options(parser)
    parser.add_argument(
        "--rounds", type=at_least(1), default=5, metavar="N", help="of cold starts (default: 5)"
    )
    parser.add_argument(
        "--files", type=at_least(1), default=10_000, metavar="N", help="short ones (default: 10000)"
    )
    parser.add_argument(
        "--utterances",
        type=at_least(1),
        metavar="N",
        help="of the corpus, of all speakers (default: the whole corpus)",
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
