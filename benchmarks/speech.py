"""Speech to measure with: a corpus, recordings made of it, and how texts of them are scored."""

from bisect import bisect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

import numpy as np
import soundfile
from numpy.random import Generator, default_rng
from numpy.typing import NDArray

from asr.audio.read import read_waveform
from asr.corpus.librispeech import read_librispeech
from asr.corpus.manifest import write_manifest
from asr.corpus.utterance import Utterance
from asr.text.transcript import Word
from asr.wer.score import score
from benchmarks.systems import System

SAMPLE_RATE = 16_000  # Hz, of all that is made here
PAUSES = (0.3, 3.0)  # seconds of silence between two utterances, evenly distributed
NORMALISER = "librispeech-1"


@dataclass(frozen=True, slots=True)
class Speech:
    """What there is to recognise in bulk, listed in a folder where hypotheses go, too.

    Attributes:
        folder: Absolute.
        all: The corpus.
        sample: What peers hear of it.
    """

    folder: Path
    all: Sequence[Utterance]
    sample: Sequence[Utterance]

    def heard(self, system: System) -> Sequence[Utterance]:
        """Say which utterances a system hears."""
        return self.sample if system.is_peer else self.all

    def manifest(self, system: System) -> Path:
        """Say which manifest lists them."""
        return self.folder / ("sample.jsonl" if system.is_peer else "all.jsonl")

    def write_manifests(self) -> None:
        """List the utterances in the folder."""
        write_manifest(self.folder / "all.jsonl", self.all)
        write_manifest(self.folder / "sample.jsonl", self.sample)


def read_corpus(folder: Path) -> Sequence[Utterance]:
    """List a subset in LibriSpeech's layout."""
    utterances = read_librispeech(folder).utterances
    if not utterances:
        raise SystemExit(f"expected a subset of LibriSpeech in {folder}")
    return utterances


def read(utterance: Utterance) -> NDArray[np.float32]:
    """Read an utterance of such a subset, (N,)."""
    return read_waveform(utterance.audio_filepath, sample_rate=SAMPLE_RATE)


def spread_out(utterances: Sequence[Utterance], n: int) -> Sequence[Utterance]:
    """Take n at even distances, of all speakers."""
    n = min(n, len(utterances))
    return [utterances[i * len(utterances) // n] for i in range(n)]


def seconds_of(utterances: Sequence[Utterance]) -> float:
    """Sum the lengths of utterances."""
    return sum(utterance.duration or 0.0 for utterance in utterances)


def write_wav(path: Path, waveform: NDArray[np.floating]) -> None:
    """Write 16 bits; what is too loud for them becomes quieter rather than clipped."""
    fitting = waveform / max(1.0, float(np.abs(waveform).max(initial=0.0)))
    soundfile.write(path, fitting, SAMPLE_RATE, subtype="PCM_16")


def write_one(path: Path, utterances: Sequence[Utterance], seconds: float) -> Utterance:
    """Write the utterance that is nearest to so many seconds long; return it as it lies there."""
    found = min(utterances, key=lambda utterance: abs((utterance.duration or 0.0) - seconds))
    write_wav(path, read(found))
    return replace(found, audio_filepath=path)


def write_long(
    path: Path, utterances: Sequence[Utterance], seconds: float, seed: int
) -> list[Utterance]:
    """Write one recording of so many seconds or a little more, speakers and pauses in any order.

    Returns:
        What it is made of. Offsets and durations say where in the recording; the ids are new, since
        an utterance comes again when all others have.
    """
    random, pieces, end = default_rng(seed), list[Utterance](), 0
    with soundfile.SoundFile(path, "w", SAMPLE_RATE, 1, "PCM_16") as recording:
        for number, utterance in enumerate(_shuffled(utterances, random)):
            if end >= seconds * SAMPLE_RATE:
                return pieces
            waveform = read(utterance)
            pause = np.zeros(round(random.uniform(*PAUSES) * SAMPLE_RATE), np.float32)
            recording.write(np.concatenate([waveform, pause]))
            duration = len(waveform) / SAMPLE_RATE
            piece = replace(utterance, id=f"{number}-{utterance.id}", duration=duration)
            pieces.append(replace(piece, offset=end / SAMPLE_RATE))
            end += len(waveform) + len(pause)
    raise AssertionError("utterances never end")


def write_short(
    folder: Path, utterances: Sequence[Utterance], seconds: float, n: int
) -> list[Path]:
    """Write n recordings of so many seconds, stretch after stretch of the corpus, in folders."""
    length, paths, held = round(seconds * SAMPLE_RATE), list[Path](), np.zeros(0, np.float32)
    for utterance in _shuffled(utterances, default_rng(0)):
        held = np.concatenate([held, read(utterance)])
        while len(held) >= length:
            path = folder / f"{len(paths) // 100:03}" / f"{len(paths):05}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_wav(path, held[:length])
            held = held[length:]
            paths.append(path)
            if len(paths) == n:
                return paths
    raise AssertionError("utterances never end")


def texts_of(words: Sequence[Word], pieces: Sequence[Utterance]) -> dict[str, str]:
    """Deal the words of a long recording to its pieces, by id: a word belongs where its middle is.

    Between two pieces the middle of the pause decides.
    """
    ends = [piece.offset + (piece.duration or 0.0) for piece in pieces]
    limits = [(end + after.offset) / 2 for end, after in zip(ends, pieces[1:], strict=False)]
    texts: dict[str, list[str]] = {piece.id: [] for piece in pieces}
    for word in words:
        piece = pieces[bisect(limits, (word.start + word.end) / 2)]
        texts[piece.id].append(word.text)
    return {name: " ".join(said) for name, said in texts.items()}


def wer(references: Sequence[Utterance], texts: Mapping[str, str]) -> float:
    """Compute the word error rate in per cent; texts of other utterances do not count."""
    return 100 * score(references, texts, NORMALISER).total.wer


def _shuffled(utterances: Sequence[Utterance], random: Generator) -> Iterator[Utterance]:
    """Yield all in any order, and again without end."""
    for _ in count():
        for i in random.permutation(len(utterances)).tolist():
            yield utterances[i]
