r"""What recognisers make of speech that was recorded, sent or spoken badly, and how long they take.

    python -m benchmarks.robustness --librispeech ../LibriSpeech --subset test-clean \
        --python ours=../ours/bin/python --python peers=../peers/bin/python

Some utterances of a subset are degraded in all the ways of `degradations.py`, one way after the
other, and written as 16-bit WAV at 16 kHz. Each system recognises the same files in a process of
its own, all in bulk. Then each listens to ten recordings of a minute that hold no speech.

The environments, PATH being the Python of each, are those of `benchmarks.transcription`. One that
is missing, or in which a system fails, is named and left out.

With the peers it takes hours. Never tune on test-clean: use --subset dev-clean for that, and --only
for single conditions.
"""

import argparse
import shutil
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import default_rng

from asr.audio.read import read_waveform
from asr.chart.axis import linear_axis, named_axis
from asr.chart.lines import Line, chart
from asr.chart.sheet import sheet
from asr.confidence.labels import label_words
from asr.confidence.quality import calibration_error
from asr.corpus.librispeech import read_librispeech
from asr.corpus.manifest import write_manifest
from asr.corpus.utterance import Utterance
from asr.files import write_text
from asr.text.normalise import normaliser
from asr.text.transcript import Transcript, read_transcripts
from asr.wer.score import score
from benchmarks.degradations import (
    CONDITIONS,
    N_VOICES,
    NOTHING,
    SAMPLE_RATE,
    Condition,
    Waveform,
)
from benchmarks.paired import RESULTS, write_figures, write_results
from benchmarks.speech import write_wav
from benchmarks.systems import (
    DATA,
    OURS,
    Speech,
    System,
    add_system_options,
    count,
    find_systems,
    measure_installation,
    run,
    seconds_of,
    spread_out,
    try_systems,
    versions_of,
)

NORMALISER = "librispeech-1"
N_MINUTES = 10  # of each sound without speech

TITLE = "Bad recordings: errors and time"
NOTES = """{n} utterances of {subset} ({minutes:.0f} minutes, {n_speakers} speakers), seed {seed}, \
{n_threads} threads. WER in per cent, {normaliser}; Whisper's numbers and titles are spelled out \
before. Where there is no speech: the words of {n_minutes} minutes, all wrong. Calibration error: \
how far the confidences of words are from the share that is right, on average, in points. × real \
time: seconds of audio by a second of the whole process, in bulk. Ours: {model}, its default \
search; Whisper: tiny.en, int8, by faster-whisper with its defaults; pocketsphinx: its own English \
model and 3-gram. Noise and babble: mean power 10 dB below that of the utterance. Room: \
6 × 5 × 3 m, echoes decay by 60 dB in about 0.5 s, by the image method. How it is made: \
`benchmarks/degradations.py`."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a system made of the recordings of one condition.

    Attributes:
        condition: Its name.
        system: Its name.
        wer: In per cent; None where there is no speech.
        calibration_error: Of its words' confidences, in points; None where there is none.
        n_words: That it recognised.
        seconds: Of the whole process.
        cpu_seconds: Of it, on all cores.
        speed: Seconds of audio a second.
    """

    condition: str
    system: str
    wer: float | None
    calibration_error: float | None
    n_words: int
    seconds: float
    cpu_seconds: float
    speed: float


def main() -> None:
    """Degrade, recognise, and write table, figures and picture."""
    options = _options()
    names = options.only or [*CONDITIONS, *NOTHING]
    utterances = _choose(options.librispeech / options.subset, options.n)
    found = find_systems(dict(options.python or [(OURS, Path(sys.executable))]), options.model)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        systems = try_systems(found, _trial(utterances, folder), options.threads)
        if not systems:
            raise SystemExit("robustness: no system works")
        heard = [
            _listen(system, condition, recordings, folder, options.threads)
            for condition in names
            for recordings in [_record(condition, utterances, options.seed, folder)]
            for system in systems
        ]
    installations = {system.name: measure_installation(system) for system in systems}
    facts = {
        "subset": options.subset,
        "n": len(utterances),
        "n_speakers": len({utterance.speaker for utterance in utterances}),
        "minutes": seconds_of(utterances) / 60,
        "n_minutes": N_MINUTES,
        "seed": options.seed,
        "n_threads": options.threads,
        "model": options.model,
        "normaliser": NORMALISER,
    }
    left_out = [system.name for system in found if system not in systems]
    notes = NOTES.format(**facts) + (f" Left out: {', '.join(left_out)}." if left_out else "")
    columns, rows = _table(heard, [system.name for system in systems])
    versions = "; ".join(versions_of(name, found) for name, found in installations.items())
    write_results(
        "robustness", TITLE, columns, rows, notes, versions=versions, folder=options.results
    )
    figures = {**facts, "left_out": left_out, "installations": installations}
    heard_by = [asdict(one) for one in heard]
    write_figures("robustness", {**figures, "conditions": heard_by}, options.results)
    if any(one.wer is not None for one in heard):
        write_text(options.results / "robustness.svg", _picture(heard, facts))


def _choose(folder: Path, n: int) -> Sequence[Utterance]:
    utterances = spread_out(read_librispeech(folder).utterances, n)
    if len({utterance.speaker for utterance in utterances}) <= N_VOICES:
        raise SystemExit(f"robustness: babble needs utterances of more than {N_VOICES} speakers")
    return utterances


def _trial(utterances: Sequence[Utterance], folder: Path) -> Speech:
    """Write one utterance for trying the systems."""
    wav = folder / "trial.wav"
    write_wav(wav, _read(utterances[0]))
    return Speech(folder, wav, utterances[0].duration or 0.0, utterances, utterances)


def _record(
    condition: str, utterances: Sequence[Utterance], seed: int, folder: Path
) -> list[Utterance]:
    """Write a condition's recordings, and the manifest of it; those of the last one go."""
    shutil.rmtree(folder / "audio", ignore_errors=True)
    (folder / "audio").mkdir()
    recordings = []
    for original, waveform in _sounds(condition, utterances, seed):
        path = folder / "audio" / f"{original.id}.wav"
        write_wav(path, waveform)
        seconds = len(waveform) / SAMPLE_RATE
        recordings.append(replace(original, audio_filepath=path, duration=seconds))
    write_manifest(folder / "manifest.jsonl", recordings)
    return recordings


def _sounds(
    condition: str, utterances: Sequence[Utterance], seed: int
) -> Iterator[tuple[Utterance, Waveform]]:
    """Make what is heard under a condition; each depends on seed, condition and id alone."""
    if condition in NOTHING:
        for i in range(N_MINUTES):
            minute = Utterance(f"{condition}-{i}", Path(), text="")
            yield minute, NOTHING[condition](_random(seed, condition, minute.id))
        return
    treatment: Condition = CONDITIONS[condition]
    voices = {utterance.speaker: _read(utterance) for utterance in reversed(utterances)}
    for utterance in utterances:
        others = [voice for speaker, voice in voices.items() if speaker != utterance.speaker]
        random = _random(seed, condition, utterance.id)
        yield utterance, treatment.degrade(_read(utterance), random, others)


def _random(seed: int, *words: str) -> np.random.Generator:
    return default_rng([seed, *(zlib.crc32(word.encode()) for word in words)])


def _read(utterance: Utterance) -> Waveform:
    waveform = read_waveform(utterance.audio_filepath, sample_rate=SAMPLE_RATE)
    return waveform.astype(np.float64)


def _listen(
    system: System, condition: str, recordings: Sequence[Utterance], folder: Path, n_threads: int
) -> Heard:
    """Let a system recognise a condition's recordings."""
    output = folder / "hypotheses.jsonl"
    output.unlink(missing_ok=True)
    words = [system.model, str(folder / "manifest.jsonl"), "--output", str(output)]
    began = time.perf_counter()
    usage = run([*system.command, "decode", *words, "--threads", str(n_threads)], folder)
    seconds = time.perf_counter() - began
    transcripts, normalise = read_transcripts(output), normaliser(NORMALISER)
    texts = {name: transcript.text for name, transcript in transcripts.items()}
    is_speech = condition in CONDITIONS
    heard = Heard(
        condition,
        system.name,
        wer=100 * score(recordings, texts, NORMALISER).total.wer if is_speech else None,
        calibration_error=_calibration_error(recordings, transcripts) if is_speech else None,
        n_words=sum(len(normalise(text).split()) for text in texts.values()),
        seconds=seconds,
        cpu_seconds=usage.cpu,
        speed=seconds_of(recordings) / seconds,
    )
    print(f"{condition}, {system.name}: {_result(heard)}, {seconds:.0f} s", file=sys.stderr)
    return heard


def _calibration_error(
    recordings: Sequence[Utterance], transcripts: Mapping[str, Transcript]
) -> float | None:
    words = [word for transcript in transcripts.values() for word in transcript.words]
    if not words or any(word.confidence is None for word in words):
        return None
    labelled = label_words(recordings, transcripts, NORMALISER)
    return 100 * calibration_error(labelled.confidences, labelled.is_correct)


def _table(heard: Sequence[Heard], systems: Sequence[str]) -> tuple[list[str], list[list[str]]]:
    """Arrange the columns and rows: errors of all systems, then their speeds."""
    by_condition: dict[str, dict[str, Heard]] = {}
    for one in heard:
        by_condition.setdefault(one.condition, {})[one.system] = one
    surest = [
        system
        for system in systems
        if any(row[system].calibration_error is not None for row in by_condition.values())
    ]
    columns = [
        *("condition", *systems),
        *(f"{system}, calibration error" for system in surest),
        *(f"{system}, × real time" for system in systems),
    ]
    rows = [
        [
            _title(condition),
            *(_result(row[system]) for system in systems),
            *(_error(row[system].calibration_error) for system in surest),
            *(f"{row[system].speed:.0f}" for system in systems),
        ]
        for condition, row in by_condition.items()
    ]
    return columns, rows


def _title(condition: str) -> str:
    if condition in CONDITIONS:
        return CONDITIONS[condition].title
    return f"{N_MINUTES} minutes of {condition}"


def _result(heard: Heard) -> str:
    return f"{heard.n_words} words" if heard.wer is None else f"{heard.wer:.2f}"


def _error(calibration_error: float | None) -> str:
    return "–" if calibration_error is None else f"{calibration_error:.1f}"


def _picture(heard: Sequence[Heard], facts: Mapping[str, Any]) -> str:
    """Draw the error rates: conditions from top to bottom, a line for each system."""
    speech = [one for one in heard if one.wer is not None]
    names = list(dict.fromkeys(one.condition for one in speech))[::-1]
    lines = [
        Line(
            system,
            tuple(
                (one.wer or 0.0, names.index(one.condition))
                for one in speech
                if one.system == system
            ),
            colour,
            has_dots=True,
            has_line=False,
        )
        for colour, system in enumerate(dict.fromkeys(one.system for one in speech))
    ]
    x = linear_axis("WER in per cent", [0.0, *(one.wer or 0.0 for one in speech)])
    heading = "{n} utterances of {subset}".format(**facts)
    return sheet([(heading, [chart(TITLE, lines, x, named_axis("", names))])])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_system_options(parser)
    parser.add_argument(
        "--librispeech",
        type=Path,
        default=DATA / "LibriSpeech",
        metavar="FOLDER",
        help="holds the subset (default: LibriSpeech in $ASR_DATA)",
    )
    parser.add_argument(
        "--subset", default="test-clean", metavar="NAME", help="or dev-clean, to tune on"
    )
    parser.add_argument(
        "--n", type=count, default=500, help="so many utterances, of all speakers (default: 500)"
    )
    parser.add_argument(
        "--only",
        nargs="+",
        choices=[*CONDITIONS, *NOTHING],
        metavar="NAME",
        help=f"conditions (default: all): {', '.join([*CONDITIONS, *NOTHING])}",
    )
    parser.add_argument("--seed", type=int, default=1, help="of all that is random (default: 1)")
    parser.add_argument(
        "--results",
        type=Path,
        default=RESULTS,
        metavar="FOLDER",
        help="where robustness.md, .json and .svg go (default: benchmarks/results)",
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
