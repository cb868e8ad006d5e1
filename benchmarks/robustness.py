r"""What recognisers make of speech that was recorded, sent or spoken badly, and how long they take.

    python -m benchmarks.robustness --librispeech ../LibriSpeech --subset test-clean \
        --python ours=../ours/bin/python --python peers=../peers/bin/python

Some utterances of a subset are degraded in all the ways of `degradations.py`, one way after the
other, and written as 16-bit WAV at 16 kHz. Each system recognises the same files in a process of
its own, all in bulk; peers hear fewer, as they take many times as long, and ours is scored on those
by themselves, too. Then each listens to ten recordings of a minute that hold no speech.

The environments, PATH being the Python of each, are those of `benchmarks.transcription`. One that
is missing, or in which a system fails, is named and left out.

With the peers it takes half an hour on two cores. Never tune on test-clean: use --subset dev-clean
for that, and --only for single conditions.
"""

import argparse
import shutil
import sys
import tempfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from numpy.random import default_rng

from asr.cli.numbers import at_least
from asr.confidence.labels import label_words
from asr.confidence.quality import calibration_error
from asr.corpus.utterance import Utterance
from asr.files import write_text
from asr.text.normalise import normaliser
from asr.text.transcript import Transcript, read_transcripts
from benchmarks.degradations import (
    CONDITIONS,
    N_VOICES,
    NOTHING,
    SAMPLE_RATE,
    Waveform,
)
from benchmarks.heard import N_MINUTES, TITLE, Heard, picture, result, table
from benchmarks.options import DATA, add_results_option, add_system_options, option_parser
from benchmarks.paired import write_figures, write_results
from benchmarks.speech import (
    NORMALISER,
    Speech,
    read,
    read_corpus,
    seconds_of,
    spread_out,
    wer,
    write_wav,
)
from benchmarks.systems import System, find_systems, measure_installations, run, versions_of

NOTES = """{n} utterances of {subset} ({minutes:.0f} minutes, {n_speakers} speakers), of which \
peers hear {n_sample} ({sample_minutes:.1f} minutes); seed {seed}, {n_threads} threads. WER in per \
cent, {normaliser}; Whisper's numbers and titles are spelled out before. Where there is no speech: \
the words of {n_minutes} minutes, all wrong. Calibration error: how far the confidences of words \
are from the share that is right, on average, in points. × real time: seconds of audio by a second \
of the whole process, in bulk. Ours: {model}, its default search; Whisper: tiny.en, int8, by \
faster-whisper with its defaults; pocketsphinx: its own English model and 3-gram. Noise and \
babble: mean power 10 dB below that of the utterance. Room: 6 × 5 × 3 m, echoes decay by 60 dB \
in about 0.5 s, by the image method. How it is made: `benchmarks/degradations.py`."""


def main() -> None:
    """Degrade, recognise, and write table, figures and picture."""
    options = _options()
    names = options.only or [*CONDITIONS, *NOTHING]
    utterances = _choose(options.librispeech / options.subset, options.n)
    sample = spread_out(utterances, options.sample)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        write_wav(folder / "trial.wav", read(utterances[0]))
        systems, left_out = find_systems(options, folder / "trial.wav")
        speech = Speech(folder, utterances, sample)
        heard = [
            _listen(system, condition, degraded, options.threads)
            for condition in names
            for degraded in [_record(condition, speech, options.seed)]
            for system in systems
        ]
    installations = measure_installations(systems)
    facts = {
        "subset": options.subset,
        "n": len(utterances),
        "n_speakers": len({utterance.speaker for utterance in utterances}),
        "minutes": seconds_of(utterances) / 60,
        "n_sample": len(sample),
        "sample_minutes": seconds_of(sample) / 60,
        "n_minutes": N_MINUTES,
        "seed": options.seed,
        "n_threads": options.threads,
        "model": options.model,
        "normaliser": NORMALISER,
    }
    notes = NOTES.format(**facts) + (f" Left out: {', '.join(left_out)}." if left_out else "")
    columns, rows = table(heard, systems, len(sample))
    versions = versions_of(installations)
    write_results(
        "robustness", TITLE, columns, rows, notes, versions=versions, folder=options.results
    )
    figures = {**facts, "left_out": left_out, "installations": installations}
    heard_by = [asdict(one) for one in heard]
    write_figures("robustness", {**figures, "conditions": heard_by}, options.results)
    if any(one.wer is not None for one in heard):
        drawing = picture(heard, len(sample), options.subset)
        write_text(options.results / "robustness.svg", drawing)


def _choose(folder: Path, n: int) -> Sequence[Utterance]:
    utterances = spread_out(read_corpus(folder), n)
    if len({utterance.speaker for utterance in utterances}) <= N_VOICES:
        raise SystemExit(f"robustness: babble needs utterances of more than {N_VOICES} speakers")
    return utterances


def _record(condition: str, speech: Speech, seed: int) -> Speech:
    """Write a condition's recordings, and the manifests of them; those of the last one go."""
    audio = speech.folder / "audio"
    shutil.rmtree(audio, ignore_errors=True)
    audio.mkdir()
    recordings = []
    for original, waveform in _sounds(condition, speech.all, seed):
        path = audio / f"{original.id}.wav"
        write_wav(path, waveform)
        seconds = len(waveform) / SAMPLE_RATE
        recordings.append(replace(original, audio_filepath=path, duration=seconds))
    ids = {utterance.id for utterance in speech.sample}
    heard_by_all = [one for one in recordings if condition in NOTHING or one.id in ids]
    degraded = replace(speech, all=recordings, sample=heard_by_all)
    degraded.write_manifests()
    return degraded


def _sounds(
    condition: str, utterances: Sequence[Utterance], seed: int
) -> Iterator[tuple[Utterance, Waveform]]:
    """Make what is heard under a condition; each depends on seed, condition and id alone."""
    if condition in NOTHING:
        for i in range(N_MINUTES):
            minute = Utterance(f"{condition}-{i}", Path(), text="")
            yield minute, NOTHING[condition](_random(seed, condition, minute.id))
        return
    degrade = CONDITIONS[condition].degrade
    voices = {utterance.speaker: _read(utterance) for utterance in reversed(utterances)}
    for utterance in utterances:
        others = [voice for speaker, voice in voices.items() if speaker != utterance.speaker]
        random = _random(seed, condition, utterance.id)
        yield utterance, degrade(_read(utterance), random, others)


def _random(seed: int, *words: str) -> np.random.Generator:
    return default_rng([seed, *(zlib.crc32(word.encode()) for word in words)])


def _read(utterance: Utterance) -> Waveform:
    return read(utterance).astype(np.float64)


def _listen(system: System, condition: str, speech: Speech, n_threads: int) -> Heard:
    """Let a system recognise a condition's recordings."""
    output, recordings = speech.folder / "hypotheses.jsonl", speech.heard(system)
    usage = run(system.decode(speech.manifest(system), output, n_threads))
    transcripts, normalise = read_transcripts(output), normaliser(NORMALISER)
    texts = {name: transcript.text for name, transcript in transcripts.items()}
    is_speech = condition in CONDITIONS
    heard = Heard(
        condition,
        system.name,
        wer=wer(recordings, texts) if is_speech else None,
        wer_sample=wer(speech.sample, texts) if is_speech else None,
        calibration_error=_calibration_error(recordings, transcripts) if is_speech else None,
        n_words=sum(len(normalise(text).split()) for text in texts.values()),
        seconds=usage.seconds,
        cpu_seconds=usage.cpu,
        speed=seconds_of(recordings) / usage.seconds,
    )
    print(f"{condition}, {system.name}: {result(heard)}, {usage.seconds:.0f} s", file=sys.stderr)
    return heard


def _calibration_error(
    recordings: Sequence[Utterance], transcripts: Mapping[str, Transcript]
) -> float | None:
    words = [word for transcript in transcripts.values() for word in transcript.words]
    if not words or any(word.confidence is None for word in words):
        return None
    labelled = label_words(recordings, transcripts, NORMALISER)
    return 100 * calibration_error(labelled.confidences, labelled.is_correct)


def _options() -> argparse.Namespace:
    parser = option_parser(__doc__)
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
        "--n",
        type=at_least(1),
        default=500,
        help="utterances, of all speakers (default: 500)",
    )
    parser.add_argument(
        "--sample",
        type=at_least(1),
        default=60,
        metavar="N",
        help="so many of them for peers (default: 60)",
    )
    parser.add_argument(
        "--only",
        nargs="+",
        choices=[*CONDITIONS, *NOTHING],
        metavar="NAME",
        help=f"conditions (default: all): {', '.join([*CONDITIONS, *NOTHING])}",
    )
    parser.add_argument("--seed", type=int, default=1, help="of all that is random (default: 1)")
    add_results_option(parser)
    return parser.parse_args()


if __name__ == "__main__":
    main()
