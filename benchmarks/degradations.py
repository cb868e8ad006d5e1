"""What befalls speech on its way to a recogniser; and sounds that hold none.

Everything follows from a random state and is made without `asr.augment`, so that a model cannot
have learned the quirks of the very code that tests it. Waveforms are (N,) float64 at 16 kHz.
"""

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import soundfile
import soxr
from numpy.random import Generator, default_rng
from numpy.typing import NDArray

Waveform = NDArray[np.float64]
SAMPLE_RATE = 16_000  # Hz
MINUTE = 60 * SAMPLE_RATE

SNR_DB = 10.0  # of every noise: mean power of the utterance to that of the noise
N_VOICES = 6  # of the babble
TELEPHONE_RATE, TELEPHONE_BAND = 8_000, (300.0, 3_400.0)  # Hz
MU = 255.0  # of mu-law, ITU-T G.711

ROOM = np.array([6.0, 5.0, 3.0])  # metres
DISTANCE, MARGIN = 2.5, 0.5  # metres from mouth to microphone, and of either to a wall
REFLECTION = 0.83  # of the amplitude, by each wall: echoes decay by 60 dB in some 0.5 s
ECHO_SECONDS = 0.6  # after which they are cut off
SPEED_OF_SOUND = 343.0  # metres a second
N_PLACES = 20  # where mouth and microphone stand
SINC_RADIUS = 8  # samples of the filter that delays by a part of one

WSOLA_FRAME, WSOLA_SEARCH = 480, 160  # samples: 30 ms, 10 ms to either side


@dataclass(frozen=True, slots=True)
class Condition:
    """A way to treat an utterance.

    Attributes:
        title: In the table.
        degrade: Of the utterance, a random state, and utterances of other speakers.
    """

    title: str
    degrade: Callable[[Waveform, Generator, Sequence[Waveform]], Waveform]


CONDITIONS: Mapping[str, Condition] = {
    "clean": Condition("as recorded", lambda speech, *_: speech),
    "phone": Condition("telephone: 300 to 3,400 Hz, mu-law", lambda s, *_: telephone(s)),
    "white": Condition("white noise, 10 dB", lambda s, random, _: mix(s, noise(len(s), 0, random))),
    "pink": Condition("pink noise, 10 dB", lambda s, random, _: mix(s, noise(len(s), 1, random))),
    "babble": Condition(
        f"babble of {N_VOICES}, 10 dB", lambda s, random, o: mix(s, babble(len(s), o, random))
    ),
    "room": Condition(
        "room, 2.5 m away", lambda s, random, _: in_room(s, int(random.integers(N_PLACES)))
    ),
    "quiet": Condition("40 dB quieter", lambda s, *_: s / 100),
    "late": Condition(
        "20 s of silence in front", lambda s, *_: np.concatenate([np.zeros(20 * SAMPLE_RATE), s])
    ),
    "clipped": Condition("20 dB louder, clipped", lambda s, *_: np.clip(10 * s, -1, 1)),
    "tempo": Condition("tempo × 1.15", lambda s, *_: change_tempo(s, 1.15)),
    "slow": Condition("speed × 0.9", lambda s, *_: change_speed(s, 0.9)),
    "fast": Condition("speed × 1.1", lambda s, *_: change_speed(s, 1.1)),
    "mp3": Condition("MP3, 24 kbit/s", lambda s, *_: through_mp3(s)),
}

NOTHING: Mapping[str, Callable[[Generator], Waveform]] = {
    "silence": lambda _: np.zeros(MINUTE),
    "noise": lambda random: _at_some_level(noise(MINUTE, random.uniform(0, 2), random), random),
    "hum": lambda random: _at_some_level(hum(random), random),
    "music": lambda random: _at_some_level(music(random), random),
}


def mix(speech: Waveform, other: Waveform) -> Waveform:
    """Add another sound, `SNR_DB` below speech."""
    return speech + other * (_rms(speech) / max(_rms(other), 1e-12) * 10 ** (-SNR_DB / 20))


def noise(n_samples: int, tilt: float, random: Generator) -> Waveform:
    """Make noise whose power falls as frequency to the power of `tilt`; flat below 20 Hz."""
    spectrum = np.fft.rfft(random.standard_normal(n_samples))
    frequencies = np.fft.rfftfreq(n_samples, 1 / SAMPLE_RATE)
    shape = np.maximum(frequencies, 20.0) ** (-tilt / 2)
    return np.asarray(np.fft.irfft(spectrum * shape, n_samples), np.float64)


def babble(n_samples: int, others: Sequence[Waveform], random: Generator) -> Waveform:
    """Let several speakers talk at once, equally loud, each from a random point of an utterance."""
    chosen = random.choice(len(others), N_VOICES, replace=False)
    total = np.zeros(n_samples)
    for voice in (others[i] for i in chosen):
        start = int(random.integers(len(voice)))
        total += np.resize(np.roll(voice, -start), n_samples) / max(_rms(voice), 1e-12)
    return total


def telephone(speech: Waveform) -> Waveform:
    """Play speech through a fixed line: band-limited, in 8 bits by mu-law."""
    narrow = soxr.resample(speech, SAMPLE_RATE, TELEPHONE_RATE)
    low, high = TELEPHONE_BAND
    frequencies = np.fft.rfftfreq(len(narrow), 1 / TELEPHONE_RATE)
    band = 1 / ((1 + (low / np.maximum(frequencies, 1.0)) ** 8) * (1 + (frequencies / high) ** 32))
    heard = np.clip(np.fft.irfft(np.fft.rfft(narrow) * np.sqrt(band), len(narrow)), -1, 1)
    code = np.rint(127 * np.sign(heard) * np.log1p(MU * np.abs(heard)) / np.log1p(MU)) / 127
    decoded = np.sign(code) * np.expm1(np.abs(code) * np.log1p(MU)) / MU
    return np.asarray(soxr.resample(decoded, TELEPHONE_RATE, SAMPLE_RATE), np.float64)


def in_room(speech: Waveform, place: int) -> Waveform:
    """Play speech at one of `N_PLACES` in a room, as loud as before, until its echoes end."""
    response = room_response(place)
    n_samples = len(speech) + len(response) - 1
    n_fft = 1 << (n_samples - 1).bit_length()
    spectrum = np.fft.rfft(speech, n_fft) * np.fft.rfft(response, n_fft)
    played = np.fft.irfft(spectrum, n_fft)[:n_samples]
    return played * (_rms(speech) / max(_rms(played[: len(speech)]), 1e-12))


@cache
def room_response(place: int) -> Waveform:
    """Compute the impulse response of a shoebox-shaped room between two random points.

    References:
        Allen and Berkley, "Image method for efficiently simulating small-room acoustics",
        JASA 65, 1979.
    """
    mouth, microphone = _two_points(default_rng(place))
    axes = [_images(*case) for case in zip(ROOM, mouth, microphone, strict=True)]
    squares = [offsets**2 for offsets, _ in axes]
    distances = np.sqrt(np.add.outer(np.add.outer(squares[0], squares[1]), squares[2])).ravel()
    orders = np.add.outer(np.add.outer(axes[0][1], axes[1][1]), axes[2][1]).ravel()
    is_heard = distances < ECHO_SECONDS * SPEED_OF_SOUND
    distances, orders = distances[is_heard], orders[is_heard]
    return _delayed(distances / SPEED_OF_SOUND * SAMPLE_RATE, REFLECTION**orders / distances)


def change_speed(speech: Waveform, factor: float) -> Waveform:
    """Play speech `factor` times as fast, its pitch with it."""
    return np.asarray(soxr.resample(speech, SAMPLE_RATE * factor, SAMPLE_RATE), np.float64)


def change_tempo(speech: Waveform, factor: float) -> Waveform:
    """Let a speaker talk `factor` times as fast at the same pitch.

    References:
        Verhelst and Roelands, "An overlap-add technique based on waveform similarity (WSOLA)",
        ICASSP 1993.
    """
    hop = WSOLA_FRAME // 2
    window = np.sin(np.pi * (np.arange(WSOLA_FRAME) + 0.5) / WSOLA_FRAME) ** 2
    n_frames = int(len(speech) / factor / hop)
    padded = np.pad(speech, (WSOLA_SEARCH, 2 * WSOLA_FRAME + WSOLA_SEARCH))
    result = np.zeros((n_frames + 1) * hop)
    start = WSOLA_SEARCH  # of the frame in the padded speech
    for i in range(n_frames):
        result[i * hop : i * hop + WSOLA_FRAME] += window * padded[start : start + WSOLA_FRAME]
        follows = padded[start + hop : start + hop + WSOLA_FRAME]  # what would sound seamless
        wanted = round((i + 1) * hop * factor)
        around = padded[wanted : wanted + 2 * WSOLA_SEARCH + WSOLA_FRAME]
        candidates = np.lib.stride_tricks.sliding_window_view(around, WSOLA_FRAME)
        likeness = candidates @ follows / (np.linalg.norm(candidates, axis=1) + 1e-9)
        start = wanted + int(likeness.argmax())
    return result


def through_mp3(speech: Waveform) -> Waveform:
    """Encode speech as MP3 at a constant 24 kbit/s, and decode it."""
    file = io.BytesIO()
    settings = {"bitrate_mode": "CONSTANT", "compression_level": 0.9}
    soundfile.write(file, speech, SAMPLE_RATE, format="MP3", **settings)
    file.seek(0)
    return np.asarray(soundfile.read(file)[0], np.float64)


def hum(random: Generator) -> Waveform:
    """Make a minute of the hum of mains, 50 or 60 Hz, with overtones."""
    mains = random.choice([50.0, 60.0])
    phases = 2 * np.pi * mains * np.arange(MINUTE) / SAMPLE_RATE
    parts = [random.uniform() / k * np.sin(k * phases + random.uniform(0, 6)) for k in range(1, 12)]
    return np.asarray(np.sum(parts, axis=0), np.float64)


def music(random: Generator) -> Waveform:
    """Make a minute of plucked chords, a melody and a beat, synthetic throughout."""
    result = np.zeros(MINUTE + 2 * SAMPLE_RATE)
    beat = round(60 / random.uniform(70, 140) * SAMPLE_RATE)
    key = random.uniform(100, 200)  # Hz, of the tonic
    scale = np.array([0, 2, 4, 5, 7, 9, 11])  # semitones, major
    for i, start in enumerate(range(0, MINUTE, beat)):
        root = (0, 5, 3, 4)[i // 4 % 4]  # a degree for each bar
        chord = [(root + step) % 7 for step in (0, 2, 4)] if i % 2 == 0 else []
        notes = [*(key * 2 ** (scale[d] / 12) for d in chord)]
        notes.append(2 * key * 2 ** (random.choice(scale) / 12))
        for pitch in notes:
            _pluck(result[start:], pitch)
        drum = random.standard_normal(2000) * np.exp(-np.arange(2000) / 300)
        result[start : start + 2000] += 0.3 * drum
    return result[:MINUTE]


def _pluck(result: Waveform, pitch: float) -> None:
    """Add a note of two seconds that decays, its overtones sooner."""
    seconds = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    for k in range(1, 9):
        tone = np.sin(2 * np.pi * k * pitch * seconds) * np.exp(-seconds * (1 + k)) / k
        result[: len(tone)] += tone[: len(result)]


def _at_some_level(sound: Waveform, random: Generator) -> Waveform:
    """Set the level of a sound, 20 to 50 dB below full scale."""
    return sound / _rms(sound) * 10 ** (-random.uniform(20, 50) / 20)


def _two_points(random: Generator) -> tuple[Waveform, Waveform]:
    """Draw two points at `DISTANCE` from each other, neither near a wall."""
    while True:
        first, second = random.uniform(MARGIN, ROOM - MARGIN, (2, 3))
        away = second - first
        second = first + away * DISTANCE / np.linalg.norm(away)
        if np.all((second > MARGIN) & (second < ROOM - MARGIN)):
            return first, second


def _images(length: float, mouth: float, microphone: float) -> tuple[Waveform, NDArray[np.int64]]:
    """Place a mouth's images along one side of the room: offsets in metres, and reflections."""
    n = int(np.ceil(ECHO_SECONDS * SPEED_OF_SOUND / (2 * length)))
    rooms = np.arange(-n, n + 1)
    same = 2 * rooms * length + mouth - microphone
    mirrored = 2 * rooms * length - mouth - microphone
    reflections = np.concatenate([np.abs(2 * rooms), np.abs(2 * rooms - 1)])
    return np.concatenate([same, mirrored]), reflections


def _delayed(delays: Waveform, gains: Waveform) -> Waveform:
    """Add up impulses after so many samples, by a sinc in a Hann window."""
    near = np.arange(-SINC_RADIUS, SINC_RADIUS + 1)
    response = np.zeros(int(delays.max()) + 2 * SINC_RADIUS + 2)
    whole = np.rint(delays).astype(np.int64)
    for offset in near:
        behind = whole + offset - delays
        window = np.cos(np.pi * behind / (2 * SINC_RADIUS + 2)) ** 2
        places = np.maximum(whole + offset, 0)
        response += np.bincount(places, gains * np.sinc(behind) * window, len(response))
    return response


def _rms(waveform: Waveform) -> float:
    return float(np.sqrt(np.mean(waveform**2)))
