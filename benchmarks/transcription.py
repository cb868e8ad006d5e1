r"""What it costs to turn speech into text: seconds, memory, disk and errors, beside others.

    python -m benchmarks.transcription --python ours=../ours/bin/python \
        --python baseline=../baseline/bin/python --python peers=../peers/bin/python

Each system is a command in an environment of its own, as its users have it, and each measurement
is a whole process, from its start to its end. All systems take their turn in each round, so that
the machine's other work hits all alike; a first round, which fills the caches, does not count.

  one recording   `asr transcribe` of some 10 seconds
  in bulk         `asr decode` of a corpus; the time of the one recording, thus the start, is taken
                  off the time, and its length off the speech
  memory          the most that was resident, as the system counts it for the process
  installation    the files of the package and of all that it requires, without pip
  words           errors as `asr score` counts them, under librispeech-1

The environments, PATH being the Python of each:

  ours            pip install .        in an environment without anything else
  peers           pocketsphinx and faster-whisper: transcription_peers.py says how it is made
  any other name  another version of this package, such as `baseline`

An environment that is missing, or in which a system fails, is named and left out. Peers hear fewer
utterances, as they take several times as long; the errors on those are counted for all systems.
With the defaults and three environments an idle machine of two cores takes a quarter of an hour. On
a busy one a difference in bulk can be zero or less: the table then says "too noisy".
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import soundfile

from asr.corpus.manifest import read_manifest, write_manifest
from asr.corpus.utterance import Utterance
from asr.wer.score import score
from benchmarks.options import add_folder_options, add_system_options, count, option_parser
from benchmarks.paired import ratio, spread, write_figures, write_results
from benchmarks.speech import nearest
from benchmarks.systems import (
    OURS,
    Measured,
    Speech,
    Usage,
    find_systems,
    measure,
    measure_installation,
    seconds_of,
    spread_out,
    try_systems,
    versions_of,
)

REPOSITORY = Path(__file__).resolve().parent.parent
NORMALISER = "librispeech-1"
RECORDING = 10.0  # seconds of the one recording, about
MB = 1_000_000

TITLE = "From speech to text: time, memory, disk and errors"
COLUMNS = (
    "system",
    "search",
    "one recording, s",
    "time, × {reference}",
    "in bulk, × real time",
    "time, × {reference}",
    "memory, MB",
    "in bulk, MB",
    "installed, MB",
    "WER, {n_all}",
    "WER, {n_sample}",
    "words other than by {reference}, %",
)
NOTES = """Whole processes; {n_rounds} alternating rounds behind one that does not count; median \
and range; {n_threads} threads. One recording: {seconds:.1f} seconds, WAV. In bulk: {n_all} \
utterances ({minutes:.0f} minutes), of which peers hear {n_sample} ({sample_minutes:.1f} minutes); \
without the start. Memory: the most that was resident, of the largest process. WER in per cent, \
{normaliser}; Whisper's numbers and titles are spelled out before. Whisper: tiny.en, int8, by \
faster-whisper with its defaults (beam 5), greedy with a beam of 1. In bulk both peers take as \
many recordings side by side as threads. How it is made: `benchmarks/transcription.py`."""


@dataclass(frozen=True, slots=True)
class Scores:
    """Rates of words, in per cent.

    Attributes:
        wer_all: Of the corpus; None for a peer, which does not hear it.
        wer_sample: Of what all systems hear.
        other_words: How far the texts differ from the first system's; None where that means little.
    """

    wer_all: float | None
    wer_sample: float
    other_words: float | None


def main() -> None:
    """Measure every system that works, and write the table."""
    options = _options()
    environments = dict(options.python or [(OURS, Path(sys.executable))])
    with tempfile.TemporaryDirectory() as folder:
        speech = _speech(options, Path(folder).resolve())
        found = find_systems(environments, options.model)
        systems = try_systems(found, speech, options.threads)
        if not systems:
            raise SystemExit("transcription: no system works")
        measured = measure(systems, speech, n_rounds=options.rounds, n_threads=options.threads)
    sizes = {system.name: measure_installation(system) for system in systems}
    first = {m.search: m for m in measured if m.system == systems[0]}
    scores = [_scores(m, first, speech) for m in measured]
    facts = {
        "reference": systems[0].name,
        "n_all": len(speech.all),
        "n_sample": len(speech.sample),
        "n_rounds": options.rounds,
        "n_threads": options.threads,
        "seconds": speech.wav_seconds,
        "minutes": seconds_of(speech.all) / 60,
        "sample_minutes": seconds_of(speech.sample) / 60,
        "normaliser": NORMALISER,
    }
    left_out = [system.name for system in found if system not in systems]
    notes = NOTES.format(**facts) + (f" Left out: {', '.join(left_out)}." if left_out else "")
    write_results(
        "transcription",
        TITLE,
        [column.format(**facts) for column in COLUMNS],
        [_row(m, first, sizes, s) for m, s in zip(measured, scores, strict=True)],
        notes,
        versions="; ".join(versions_of(name, size) for name, size in sizes.items()),
        folder=options.results,
    )
    rounds = [_figures(m, s) for m, s in zip(measured, scores, strict=True)]
    figures = {**facts, "left_out": left_out, "installations": sizes, "systems": rounds}
    write_figures("transcription", figures, options.results)


def _speech(options: argparse.Namespace, folder: Path) -> Speech:
    """List the corpus, choose the sample and the one recording."""
    listed = folder / "corpus.jsonl"
    audio = str(options.audio.absolute())
    command = [sys.executable, "-m", "asr", "prepare", audio, "--output", str(listed)]
    if subprocess.run(command, stdout=subprocess.DEVNULL, cwd=REPOSITORY, check=False).returncode:
        raise SystemExit("transcription: --audio wants a subset of LibriSpeech")
    corpus = read_manifest(listed)
    utterances = spread_out(corpus, options.utterances or len(corpus))
    sample = spread_out(utterances, options.sample)
    write_manifest(folder / "all.jsonl", utterances)
    write_manifest(folder / "sample.jsonl", sample)
    wav = options.wav.absolute() if options.wav else _wav_of(corpus, folder)
    return Speech(folder, wav, soundfile.info(wav).duration, utterances, sample)


def _wav_of(corpus: Sequence[Utterance], folder: Path) -> Path:
    """Write the utterance that is nearest to 10 seconds as WAV."""
    utterance = nearest(corpus, RECORDING)
    samples, sample_rate = soundfile.read(utterance.audio_filepath, dtype="int16")
    soundfile.write(folder / "speech.wav", samples, sample_rate)
    return folder / "speech.wav"


def _scores(measured: Measured, first: Mapping[str, Measured], speech: Speech) -> Scores:
    """Rate what a system recognised, by the references and by the first system."""
    is_peer, texts, other_words = measured.system.is_peer, measured.texts, None
    by_first = first.get(measured.search)
    if by_first is not None and by_first is not measured and not is_peer:
        theirs = [replace(u, text=by_first.texts.get(u.id, "")) for u in speech.all]
        other_words = _wer(theirs, texts)
    return Scores(
        wer_all=None if is_peer else _wer(speech.all, texts),
        wer_sample=_wer(speech.sample, texts),
        other_words=other_words,
    )


def _wer(references: Sequence[Utterance], texts: Mapping[str, str]) -> float:
    return 100 * score(references, texts, NORMALISER).total.wer


def _row(
    measured: Measured,
    first: Mapping[str, Measured],
    sizes: Mapping[str, Mapping[str, Any]],
    scores: Scores,
) -> list[str]:
    """Write a system's row."""
    by_first = first.get(measured.search)
    is_clear = measured.is_clear and (by_first is None or by_first.is_clear)
    return [
        measured.system.name,
        measured.search,
        spread(measured.one.seconds),
        ratio(measured.one, by_first.one) if by_first else "",
        spread(measured.speeds, 0) if measured.is_clear else "too noisy",
        ratio(measured.bulk, by_first.bulk) if by_first and is_clear else "",
        f"{_peak(measured.one_usage) / MB:.0f}",
        f"{_peak(measured.bulk_usage) / MB:.0f}",
        f"{sizes[measured.system.name]['bytes'] / MB:.0f}",
        *("" if value is None else f"{value:.2f}" for value in asdict(scores).values()),
    ]


def _figures(measured: Measured, scores: Scores) -> dict[str, Any]:
    """Gather a system's figures of every round, for programs."""
    return {
        "system": measured.system.name,
        "search": measured.search,
        "one_seconds": measured.one.seconds,
        "bulk_seconds_per_second_of_speech": measured.bulk.seconds,
        "one_cpu_seconds": [usage.cpu for usage in measured.one_usage],
        "bulk_cpu_seconds": [usage.cpu for usage in measured.bulk_usage],
        "one_peak_bytes": _peak(measured.one_usage),
        "bulk_peak_bytes": _peak(measured.bulk_usage),
        **asdict(scores),
    }


def _peak(usages: Sequence[Usage]) -> int:
    return max(usage.peak for usage in usages)


def _options() -> argparse.Namespace:
    parser = option_parser(__doc__)
    add_system_options(parser)
    add_folder_options(parser)
    parser.add_argument(
        "--wav",
        type=Path,
        metavar="FILE",
        help="the one recording (default: the corpus's utterance that is nearest to 10 seconds)",
    )
    parser.add_argument(
        "--rounds", type=count, default=5, metavar="N", help="that count (default: 5)"
    )
    parser.add_argument(
        "--utterances",
        type=count,
        metavar="N",
        help="so many, of all speakers, in bulk (default: the whole corpus)",
    )
    parser.add_argument(
        "--sample",
        type=count,
        default=30,
        metavar="N",
        help="so many of those for the peers (default: 30)",
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
