"""Spectrogram: what was recorded, the words at their times, and what the model heard, as a picture.

A long utterance is split into rows, as music is, so that it is legible on paper.
"""

import base64
import math
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

from asr.chart.frame import hint, text
from asr.errors import ConfigError
from asr.text.markdown import visible
from asr.text.transcript import Word

ROW_SECONDS = 6.0  # at most
# Units of the picture.
GUTTER, WIDTH = 42.0, 820.0  # for labels at the left, and for a row
MAX_SECOND = 170.0  # width of a second, lest short utterances look stretched
MEL, MEL_HEIGHT, EMISSION_HEIGHT = 42.0, 112.0, 64.0  # above it: words
WORD_LANES, TOKEN_LANES = (14.0, 29.0), (8.0, 18.0)  # from the top, so that neighbours have room
N_MELS, HOP, WINDOW, N_FFT = 80, 160, 400, 512  # bands; samples
LOWEST = 20.0  # Hz
RANGE = 60.0  # dB shown below the loudest
N_SHADES = 32
LABELS = (500, 1000, 2000, 4000)  # Hz
LETTER, SMALL_LETTER = 7.4, 6.2  # width of a letter of a word, and of a token's name
MIN_PROBABILITY = 0.02  # drawn
MIN_NAMED = 0.4  # the peak of a token that is named

Floats = NDArray[np.floating]


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """What a model made of an utterance.

    Attributes:
        probabilities: (T, V), of each token in each frame; the blank is token 0.
        tokens: (V,), their names.
        frame_shift: Seconds from frame to frame.
    """

    probabilities: Floats
    tokens: Sequence[str]
    frame_shift: float


@dataclass(frozen=True, slots=True)
class ShownWord:
    """A recognised word, its time, and whether it is right."""

    text: str
    time: Word
    is_right: bool


@dataclass(frozen=True, slots=True)
class Span:
    """A row: where it begins, how long it is, in seconds, and how wide a second is."""

    begin: float
    length: float
    second: float

    @property
    def end(self) -> float:
        """Where it ends, in seconds."""
        return self.begin + self.length

    def across(self, seconds: float) -> float:
        """Place a time."""
        return GUTTER + (seconds - self.begin) * self.second


def spectrogram_rows(
    waveform: NDArray[np.float32],
    sample_rate: int,
    words: Sequence[ShownWord],
    heard: Heard | None,
) -> list[str]:
    """Draw an utterance as `<svg>` elements, one a row.

    Args:
        waveform: (N,).
        sample_rate: Hz.
        words: With times from the start of the waveform.
        heard: None: unknown.

    Raises:
        ConfigError: librosa is not installed.
    """
    decibels = _log_mel(waveform, sample_rate)
    duration = len(waveform) / sample_rate
    n_rows = max(1, math.ceil(duration / ROW_SECONDS))
    length = duration / n_rows
    second = min(WIDTH / length, MAX_SECOND)
    return [
        _row(decibels, sample_rate, words, heard, Span(i * length, length, second))
        for i in range(n_rows)
    ]


def _row(
    decibels: Floats,
    sample_rate: int,
    words: Sequence[ShownWord],
    heard: Heard | None,
    span: Span,
) -> str:
    frames = sample_rate / HOP
    shown = decibels[:, round(span.begin * frames) : max(round(span.end * frames), 1)]
    parts = [*_image(shown, span, sample_rate), *_words(words, span)]
    bottom = MEL + MEL_HEIGHT
    if heard is not None:
        parts += _emission(heard, span, bottom + 6)
        bottom += EMISSION_HEIGHT + 6
    parts += _seconds(span, bottom)
    box = f'viewBox="0 0 {GUTTER + WIDTH + 4:g} {bottom + 20:g}"'
    label = f'aria-label="Spectrogram, {span.begin:.1f} to {span.end:.1f} seconds"'
    return "\n".join([f'<svg class="row" {box} role="img" {label}>', *parts, "</svg>"])


def _log_mel(waveform: NDArray[np.float32], sample_rate: int) -> Floats:
    """Compute log-mel energies, (N_MELS, frames), in dB below the loudest."""
    try:
        import librosa
    except ImportError as error:
        raise ConfigError(
            "spectrograms need librosa: pip install 'asr-ctc[report]', or ask for --closer-look 0"
        ) from error
    power = librosa.feature.melspectrogram(
        y=np.pad(waveform, (0, max(0, N_FFT - len(waveform)))),
        sr=sample_rate,
        n_fft=N_FFT,
        hop_length=HOP,
        win_length=WINDOW,
        n_mels=N_MELS,
        fmin=LOWEST,
        htk=True,
    )
    decibels: Floats = librosa.power_to_db(power, ref=np.max, top_db=RANGE)
    return decibels


def _image(decibels: Floats, span: Span, sample_rate: int) -> list[str]:
    """Draw log-mel energies, the louder the darker, with some frequencies beside them."""
    shades = np.round((N_SHADES - 1) * -decibels / RANGE) * (255 / (N_SHADES - 1))
    data = base64.b64encode(png(shades[::-1].astype(np.uint8))).decode("ascii")
    place = f'x="{GUTTER}" y="{MEL}" width="{span.length * span.second:.1f}" height="{MEL_HEIGHT}"'
    parts = [
        f'<image class="mel" {place} preserveAspectRatio="none" '
        f'href="data:image/png;base64,{data}"/>'
    ]
    low, high = _mel(LOWEST), _mel(sample_rate / 2)
    for hertz in LABELS:
        if hertz < sample_rate / 2:
            down = MEL + MEL_HEIGHT * (1 - (_mel(hertz) - low) / (high - low))
            name = f"{hertz / 1000:g} kHz"
            parts.append(text(GUTTER - 5, down + 3, name, "end", "small"))
    return parts


def _mel(hertz: float) -> float:
    return 2595 * math.log10(1 + hertz / 700)


def _words(words: Sequence[ShownWord], span: Span) -> Iterator[str]:
    """Write the words that start in a row over their times."""
    inside = [word for word in words if span.begin <= word.time.start < span.end]
    places = []
    for word in inside:
        width = LETTER * (1.1 if not word.is_right else 1.0) * len(word.text) + 3  # wrong: bold
        places.append((min(span.across(word.time.start), GUTTER + WIDTH - width), width))
    for word, lane, (text_left, _) in zip(
        inside, _lanes(places, len(WORD_LANES)), places, strict=True
    ):
        left = span.across(word.time.start)
        width = max((min(word.time.end, span.end) - word.time.start) * span.second, 2)
        told = f"{word.text}, {word.time.start:.2f} to {word.time.end:.2f} s"
        if word.time.confidence is not None:
            told += f", confidence {word.time.confidence:.2f}"
        kind = "right" if word.is_right else "wrong"
        yield (
            f'<g class="said {kind}" data-start="{word.time.start:.2f}">{hint(told)}'
            f'<rect x="{left:.1f}" y="{MEL - 6}" width="{width:.1f}" height="3"/>'
            f'<text x="{text_left:.1f}" y="{WORD_LANES[lane]}">{escape(visible(word.text))}</text>'
            "</g>"
        )


def _lanes(places: Sequence[tuple[float, float]], n_lanes: int) -> list[int]:
    """Put things, each with its left edge and width, into lanes where they do not overlap.

    The last lane is preferred; what fits in none goes where the least overlaps.
    """
    ends, lanes = [-math.inf] * n_lanes, []
    for left, width in places:
        fitting = [lane for lane in range(n_lanes) if ends[lane] <= left]
        lane = max(fitting) if fitting else ends.index(min(ends))
        ends[lane] = left + width
        lanes.append(lane)
    return lanes


def _emission(heard: Heard, span: Span, top: float) -> Iterator[str]:
    """Draw the probability of each token that counts, and name its peaks."""
    shift, bottom = heard.frame_shift, top + EMISSION_HEIGHT
    first = round(span.begin / shift)
    shown = heard.probabilities[first : max(round(span.end / shift), first)]  # (T, V)
    step = shift * span.second
    yield text(GUTTER - 5, top + TOKEN_LANES[-1] + 9, "p = 1", "end", "small")
    yield text(GUTTER - 5, bottom, "0", "end", "small")
    yield f'<path class="base" d="M{GUTTER} {bottom}h{span.length * span.second:.1f}"/>'
    peaks = []
    for token in np.flatnonzero((shown > MIN_PROBABILITY).any(axis=0)).tolist():
        curve = _curve(shown[:, token], step, top)
        kind = "token" if token else "blank"
        yield f'<g class="{kind}">{hint(heard.tokens[token])}<path d="{curve}"/></g>'
        if token:
            peaks += [(frame, heard.tokens[token]) for frame in _peaks(shown[:, token])]
    peaks.sort()
    places = [(GUTTER + (f + 0.5) * step, SMALL_LETTER * len(name) + 2) for f, name in peaks]
    for (_, name), lane, (x, _) in zip(
        peaks, _lanes(places, len(TOKEN_LANES)), places, strict=True
    ):
        yield text(x, top + TOKEN_LANES[lane], name, "middle", "peak")


def _curve(values: Floats, width: float, top: float) -> str:
    """Draw the stretches of a token's probabilities that can be seen."""
    bottom, height = top + EMISSION_HEIGHT, EMISSION_HEIGHT - TOKEN_LANES[-1] - 5
    seen = values > MIN_PROBABILITY
    edges = np.flatnonzero(np.diff(np.concatenate([[0], seen.view(np.int8), [0]])))
    path = []
    for start, stop in edges.reshape(-1, 2).tolist():
        points = [(start - 0.5, 0), *[(i, values[i]) for i in range(start, stop)], (stop - 0.5, 0)]
        places = [f"{GUTTER + (i + 0.5) * width:.1f} {bottom - p * height:.1f}" for i, p in points]
        path.append(f"M{'L'.join(places)}")
    return "".join(path)


def _peaks(values: Floats) -> list[int]:
    """Find the frames in which a token is likely, and likelier than before and after."""
    before = np.concatenate([[0.0], values[:-1]])
    after = np.concatenate([values[1:], [0.0]])
    found: list[int] = np.flatnonzero(
        (values >= MIN_NAMED) & (values > before) & (values >= after)
    ).tolist()
    return found


def _seconds(span: Span, top: float) -> Iterator[str]:
    for second in range(math.ceil(span.begin), math.floor(span.end) + 1):
        across = span.across(second)
        yield f'<path class="base" d="M{across:.1f} {top}v4"/>'
        yield text(across, top + 16, f"{second} s", "middle", "small")


def png(pixels: NDArray[np.uint8]) -> bytes:
    """Encode grey values, (height, width), as a PNG file.

    References:
        ISO/IEC 15948, "Portable Network Graphics", 2004.
    """
    height, width = pixels.shape
    lines = np.concatenate([np.zeros((height, 1), np.uint8), pixels], axis=1)  # filter 0: none
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines.tobytes(), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
