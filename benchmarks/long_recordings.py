r"""One recording of hours: time, memory while it runs, and the text against that of its pieces.

    python -m benchmarks.long_recordings --audio ../LibriSpeech/dev-clean --hours 3 10 \
        --python ours=../ours/bin/python --python peers=../peers/bin/python

Each recording is made of a corpus's utterances, all speakers in any order, with pauses between
them, and transcribed once by a process of its own. Then this package recognises the same utterances
one by one: the words of the long recording, dealt to the utterances by their times, should be as
right. Times of peers' words are not compared.

The environments, PATH being the Python of each, are those of `benchmarks.transcription`. Peers hear
the shortest recording only, as they take several times as long. An hour takes about half a minute
of two idle cores, the pieces included, and 120 MB of disk; for a try, --hours 0.05.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from asr.corpus.manifest import write_manifest
from asr.corpus.utterance import Utterance
from asr.text.transcript import read_transcripts
from benchmarks import memory
from benchmarks.options import add_folder_options, add_system_options, option_parser
from benchmarks.paired import write_figures, write_results
from benchmarks.speech import NORMALISER, PAUSES, read_corpus, texts_of, wer, write_long
from benchmarks.systems import (
    System,
    Usage,
    find_systems,
    measure_installations,
    read_texts,
    run,
    versions_of,
)

TRIAL = 10.0  # seconds, for trying the systems

TITLE = "Recordings of hours: time, memory and errors"
COLUMNS = (
    *("system", "audio, h", "time, min", "× real time", *memory.COLUMNS),
    *("WER of the whole", "WER of its pieces", "difference"),
)
NOTES = """Whole processes, one each; {n_threads} threads. Recordings: utterances of {corpus} \
({n_speakers} speakers) in any order, seed {seed}, with {least:g} to {most:g} seconds of silence \
between them, 16-bit WAV at 16 kHz. Memory: resident, mapped files included, the median of each \
quarter of the run; then the most. WER in per cent, {normaliser}, of the words that a recording \
has at an utterance's time, and of the same utterances one by one. Ours: {model}, its default \
search. How it is made: `benchmarks/long_recordings.py`."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a system made of a recording.

    Attributes:
        system: Its name.
        hours: Of audio.
        usage: Of its process.
        wer: Of the whole recording, in per cent; None: not scored.
        wer_of_pieces: Of the utterances alone; None: not scored.
    """

    system: str
    hours: float
    usage: Usage
    wer: float | None = None
    wer_of_pieces: float | None = None


def main() -> None:
    """Make the recordings, let every system hear them, and write the table."""
    options = _options()
    corpus = read_corpus(options.audio)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        write_long(folder / "long.wav", corpus, TRIAL, seed=0)
        systems, _ = find_systems(options, folder / "long.wav")
        heard = [
            each
            for hours in sorted(options.hours)
            for each in _hear(
                [one for one in systems if not one.is_peer or hours == min(options.hours)],
                write_long(folder / "long.wav", corpus, 3600 * hours, options.seed),
                folder,
                options.threads,
            )
        ]
    facts = {
        "corpus": options.audio.resolve().name,
        "n_speakers": len({utterance.speaker for utterance in corpus}),
        "seed": options.seed,
        "n_threads": options.threads,
        "model": options.model,
        "normaliser": NORMALISER,
    }
    least, most = PAUSES
    write_results(
        "long_recordings",
        TITLE,
        COLUMNS,
        [_row(each) for each in heard],
        NOTES.format(**facts, least=least, most=most),
        versions=versions_of(measure_installations(systems)),
        folder=options.results,
    )
    figures = {**facts, "recordings": [_figures(each) for each in heard]}
    write_figures("long_recordings", figures, options.results)


def _hear(
    systems: Sequence[System], pieces: Sequence[Utterance], folder: Path, n_threads: int
) -> list[Heard]:
    """Let systems transcribe the recording that lies in the folder; score ours."""
    hours = (pieces[-1].offset + (pieces[-1].duration or 0.0)) / 3600
    heard = []
    for system in systems:
        print(f"{hours:.2f} hours: {system.name}", file=sys.stderr)
        wav, output = folder / "long.wav", folder / "long.json"
        if system.is_peer:
            heard.append(Heard(system.name, hours, run(system.transcribe(wav, n_threads))))
            continue
        usage = run(system.transcribe(wav, n_threads, output=output))
        (transcript,) = read_transcripts(output).values()
        whole = wer(pieces, texts_of(transcript.words, pieces))
        alone = wer(pieces, _texts_alone(system, pieces, folder, n_threads))
        heard.append(Heard(system.name, hours, usage, whole, alone))
    return heard


def _texts_alone(
    system: System, pieces: Sequence[Utterance], folder: Path, n_threads: int
) -> dict[str, str]:
    """Recognise the pieces one by one, from the corpus's own files."""
    manifest, output = folder / "pieces.jsonl", folder / "pieces.hyp.jsonl"
    write_manifest(manifest, [replace(piece, offset=0.0) for piece in pieces])
    run(system.decode(manifest, output, n_threads))
    return read_texts(output)


def _row(heard: Heard) -> list[str]:
    rates = [heard.wer, heard.wer_of_pieces]
    if heard.wer is not None and heard.wer_of_pieces is not None:
        rates.append(heard.wer - heard.wer_of_pieces)
    cells = [f"{rate:.2f}" for rate in rates if rate is not None]
    return [
        heard.system,
        f"{heard.hours:.2f}",
        f"{heard.usage.seconds / 60:.1f}",
        f"{3600 * heard.hours / heard.usage.seconds:.0f}",
        *heard.usage.memory.cells,
        *(cells or [""] * 3),
    ]


def _figures(heard: Heard) -> dict[str, object]:
    """Gather the figures of a recording, for programs."""
    return {
        "system": heard.system,
        "hours": heard.hours,
        "seconds": heard.usage.seconds,
        **heard.usage.memory.figures,
        "wer": heard.wer,
        "wer_of_pieces": heard.wer_of_pieces,
    }


def _options() -> argparse.Namespace:
    parser = option_parser(__doc__)
    add_system_options(parser)
    add_folder_options(parser)
    parser.add_argument(
        "--hours", type=float, nargs="+", default=[3.0, 10.0], help="of each (default: 3 10)"
    )
    parser.add_argument("--seed", type=int, default=1, help="of the order (default: 1)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
