"""A tiny synthetic corpus: speech-like sounds in LibriSpeech's layout, made in seconds.

It shows that the whole chain works, and nothing about real speech. Each letter of a word is a
sound: a buzz at the speaker's pitch, or noise, shaped by two resonances of the letter's own.
Speakers differ in pitch and in the length of their vocal tract, utterances in tempo.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from asr.audio.write import write_waveform
from asr.files import write_text

Samples = NDArray[np.floating]

SAMPLE_RATE = 16000
VOCABULARY = (
    *("SUN", "MOON", "STAR", "RAIN", "TREE", "STONE"),
    *("ROAD", "TOWN", "MUSIC", "DREAM", "NOTE", "ART"),
)
WORDS_PER_UTTERANCE = (2, 5)  # half-open
LETTER_DURATION = (0.08, 0.12)  # seconds
GAP_DURATION = (0.06, 0.10)  # seconds between words and at both ends
PITCH = (90.0, 220.0)  # Hz
TRACT_SCALE = (0.92, 1.08)  # factor on all resonances
BANDWIDTH = 0.12  # of a resonance, relative to its frequency
LEVEL = 0.3  # peak of a letter
NOISE_LEVEL = 0.002

# Two resonances in Hz; those of the vowels are roughly an adult's (Peterson and Barney, JASA 1952).
RESONANCES = {
    "A": (750, 1200),
    "C": (3000, 6500),
    "D": (350, 3300),
    "E": (550, 1900),
    "I": (300, 2500),
    "M": (250, 900),
    "N": (250, 1600),
    "O": (500, 850),
    "R": (450, 1300),
    "S": (4800, 7000),
    "T": (1800, 4200),
    "U": (320, 700),
    "W": (280, 500),
}
VOICELESS = frozenset("CST")


@dataclass(frozen=True, slots=True)
class _Voice:
    """A speaker: `pitch` in Hz, and a factor on all resonances."""

    pitch: float
    tract_scale: float


def write_tiny_corpus(folder: Path | str, n_utterances: int, n_speakers: int, seed: int) -> None:
    """Write a subset in LibriSpeech's layout, as FLAC files and transcripts.

    Equal arguments give equal files. Speakers are named after the seed, so that subsets with
    different seeds have no speaker in common.

    Args:
        folder: The subset's folder; created if it is missing.
        n_utterances: Of two to four words each, dealt evenly to the speakers.
        n_speakers: Most speakers; one who would get no utterance is left out.
        seed: Of voices, words and sounds, at least 0.
    """
    for speaker in range(min(n_speakers, n_utterances)):
        name = f"{seed}{speaker:03d}"
        n_own = len(range(speaker, n_utterances, n_speakers))
        generator = np.random.default_rng((seed, speaker))
        _write_chapter(Path(folder) / name / "1", f"{name}-1", n_own, generator)


def _write_chapter(
    chapter: Path, name: str, n_utterances: int, generator: np.random.Generator
) -> None:
    voice = _Voice(generator.uniform(*PITCH), generator.uniform(*TRACT_SCALE))
    lines = []
    for number in range(n_utterances):
        words = generator.choice(VOCABULARY, size=generator.integers(*WORDS_PER_UTTERANCE))
        waveform = _speak(words.tolist(), voice, generator)
        write_waveform(chapter / f"{name}-{number:04d}.flac", waveform, SAMPLE_RATE)
        lines.append(f"{name}-{number:04d} {' '.join(words)}\n")
    write_text(chapter / f"{name}.trans.txt", "".join(lines))


def _speak(words: list[str], voice: _Voice, generator: np.random.Generator) -> Samples:
    """Speak words with a little silence around each, (N,)."""
    sounds: list[Samples] = [np.zeros(_draw_length(GAP_DURATION, generator))]
    for word in words:
        sounds += [_speak_letter(letter, voice, generator) for letter in word]
        sounds.append(np.zeros(_draw_length(GAP_DURATION, generator)))
    waveform = np.concatenate(sounds)
    return waveform + NOISE_LEVEL * generator.standard_normal(len(waveform))


def _speak_letter(letter: str, voice: _Voice, generator: np.random.Generator) -> Samples:
    """Filter a buzz or noise by the letter's resonances, with soft ends: (N,), peak `LEVEL`."""
    n_samples = _draw_length(LETTER_DURATION, generator)
    if letter in VOICELESS:
        source = generator.standard_normal(n_samples)
    else:
        cycles = np.arange(n_samples) * voice.pitch / SAMPLE_RATE
        source = np.diff(np.floor(cycles), prepend=-1.0)  # a pulse where a cycle begins
    frequencies = np.fft.rfftfreq(n_samples, 1 / SAMPLE_RATE)
    envelope = _envelope(letter, frequencies / voice.tract_scale)
    sound: Samples = np.fft.irfft(np.fft.rfft(source) * envelope, n_samples)
    sound *= np.sqrt(np.hanning(n_samples))
    sound *= LEVEL / np.abs(sound).max()
    return sound


def _envelope(letter: str, frequencies: Samples) -> Samples:
    """Compute the letter's resonances over frequency, the upper one half as strong."""
    lower, upper = (
        np.exp(-0.5 * ((frequencies - centre) / (BANDWIDTH * centre)) ** 2)
        for centre in RESONANCES[letter]
    )
    summed: Samples = lower + 0.5 * upper
    return summed


def _draw_length(seconds: tuple[float, float], generator: np.random.Generator) -> int:
    return round(generator.uniform(*seconds) * SAMPLE_RATE)
