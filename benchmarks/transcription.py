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
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import soundfile

from asr.cli.numbers import at_least
from asr.corpus.utterance import Utterance
from benchmarks.memory import MB
from benchmarks.options import add_folder_options, add_system_options, option_parser
from benchmarks.paired import ratio, spread, write_figures, write_results
from benchmarks.rounds import Measured, measure
from benchmarks.speech import (
    NORMALISER,
    Speech,
    read_corpus,
    seconds_of,
    spread_out,
    wer,
    write_one,
)
from benchmarks.systems import Usage, find_systems, measure_installations, versions_of

RECORDING = 10.0  # seconds of the one recording, about

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
    corpus = read_corpus(options.audio)
    utterances = spread_out(corpus, options.utterances or len(corpus))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        one = _recording(options.wav, corpus, folder)
        systems, left_out = find_systems(options, Path(one.audio_filepath))
        speech = Speech(folder, utterances, spread_out(utterances, options.sample))
        speech.write_manifests()
        measured = measure(systems, one, speech, n_rounds=options.rounds, n_threads=options.threads)
    sizes = measure_installations(systems)
    first = {m.search: m for m in measured if m.system == systems[0]}
    scores = [_scores(m, first, speech) for m in measured]
    facts = {
        "reference": systems[0].name,
        "n_all": len(speech.all),
        "n_sample": len(speech.sample),
        "n_rounds": options.rounds,
        "n_threads": options.threads,
        "seconds": one.duration,
        "minutes": seconds_of(speech.all) / 60,
        "sample_minutes": seconds_of(speech.sample) / 60,
        "normaliser": NORMALISER,
    }
    notes = NOTES.format(**facts) + (f" Left out: {', '.join(left_out)}." if left_out else "")
    write_results(
        "transcription",
        TITLE,
        [column.format(**facts) for column in COLUMNS],
        [_row(m, first, sizes, s) for m, s in zip(measured, scores, strict=True)],
        notes,
        versions=versions_of(sizes),
        folder=options.results,
    )
    rounds = [_figures(m, s) for m, s in zip(measured, scores, strict=True)]
    figures = {**facts, "left_out": left_out, "installations": sizes, "systems": rounds}
    write_figures("transcription", figures, options.results)


def _recording(given: Path | None, corpus: Sequence[Utterance], folder: Path) -> Utterance:
    """Take the one recording that is given, or write the corpus's utterance of some 10 seconds."""
    if given:
        return Utterance("one", given.absolute(), duration=soundfile.info(given).duration)
    return write_one(folder / "speech.wav", corpus, RECORDING)


def _scores(measured: Measured, first: Mapping[str, Measured], speech: Speech) -> Scores:
    """Rate what a system recognised, by the references and by the first system."""
    is_peer, texts, other_words = measured.system.is_peer, measured.texts, None
    by_first = first[measured.search]
    if by_first is not measured and not is_peer:
        theirs = [replace(u, text=by_first.texts.get(u.id, "")) for u in speech.all]
        other_words = wer(theirs, texts)
    return Scores(
        wer_all=None if is_peer else wer(speech.all, texts),
        wer_sample=wer(speech.sample, texts),
        other_words=other_words,
    )


def _row(
    measured: Measured,
    first: Mapping[str, Measured],
    sizes: Mapping[str, Mapping[str, Any]],
    scores: Scores,
) -> list[str]:
    """Write a system's row."""
    by_first = first[measured.search]
    is_clear = measured.is_clear and by_first.is_clear
    return [
        measured.system.name,
        measured.search,
        spread(measured.one.seconds),
        ratio(measured.one, by_first.one),
        spread(measured.speeds, 0) if measured.is_clear else "too noisy",
        ratio(measured.bulk, by_first.bulk) if is_clear else "",
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
        "--rounds", type=at_least(1), default=5, metavar="N", help="that count (default: 5)"
    )
    parser.add_argument(
        "--utterances",
        type=at_least(1),
        metavar="N",
        help="so many, of all speakers, in bulk (default: the whole corpus)",
    )
    parser.add_argument(
        "--sample",
        type=at_least(1),
        default=30,
        metavar="N",
        help="so many of those for the peers (default: 30)",
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
