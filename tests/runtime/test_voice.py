"""What has one spectrum is no speech, however it swells and however loud it is."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from asr.audio.write import write_waveform
from asr.corpus.loader import read_utterance
from asr.corpus.utterance import Utterance
from asr.recognizer import Recognizer, load_model
from asr.runtime.voice import MIN_CHANGE, WINDOW, blank_outside, change, voiced_stretches

RATE = 16000
SECONDS = 12
TIME = np.arange(SECONDS * RATE) / RATE

Waveform = NDArray[np.float32]


def _nothing() -> dict[str, NDArray[np.float64]]:
    generator = np.random.default_rng(1)
    white = generator.standard_normal(len(TIME))
    spectrum = np.fft.rfft(white) / np.sqrt(np.maximum(np.arange(len(TIME) // 2 + 1), 50))
    pink = np.fft.irfft(spectrum)
    chord = sum(np.sin(2 * np.pi * hertz * TIME) for hertz in (261.6, 329.6, 392.0))
    hum = sum(np.sin(2 * np.pi * 50 * k * TIME) / k for k in range(1, 8))
    return {
        "zeros": 0 * TIME,
        "white at -60 dBFS": 0.001 * white,
        "white at -40 dBFS": 0.01 * white,
        "white at -20 dBFS": 0.1 * white,
        "pink": 0.1 * pink / pink.std(),
        "hum": 0.1 * np.asarray(hum),
        "clicks": 0.5 * (generator.random(len(TIME)) < 2e-4),
        "a chord that swells": 0.1 * np.asarray(chord) * np.abs(np.sin(4 * np.pi * TIME)),
        "white noise that swells": 0.1 * white * np.abs(np.sin(4 * np.pi * TIME)),
    }


NOTHING = _nothing()


def as_16_bits(samples: NDArray[np.float64]) -> Waveform:
    return (np.round(samples * 32767) / 32768).astype(np.float32)


@pytest.fixture(scope="module")
def shipped() -> Recognizer:
    return load_model(n_threads=1)


@pytest.fixture(scope="module")
def greedy() -> Recognizer:
    return load_model(search="greedy", n_threads=1)


@pytest.fixture(scope="module")
def speech() -> Waveform:
    """Real speech: the recording of the demo."""
    path = Path(__file__).parents[2] / "recipes" / "demo" / "speech.wav"
    return read_utterance(Utterance("demo", path), RATE)


@pytest.mark.parametrize("name", NOTHING)
def test_what_has_one_spectrum_is_not_voiced(name: str) -> None:
    assert len(voiced_stretches(as_16_bits(NOTHING[name]), RATE)) == 0


@pytest.mark.parametrize("rate", [8000, 16000, 44100])
def test_noise_is_not_voiced_at_any_rate(rate: int) -> None:
    noise = np.random.default_rng(0).standard_normal(6 * rate).astype(np.float32)
    assert len(voiced_stretches(0.1 * noise, rate)) == 0


@pytest.mark.parametrize("name", NOTHING)
@pytest.mark.parametrize("kind", ["shipped", "greedy"])
def test_nothing_gives_no_words_with_any_search(
    name: str, kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    recognizer: Recognizer = request.getfixturevalue(kind)
    path = tmp_path / "nothing.wav"
    write_waveform(path, as_16_bits(NOTHING[name]), RATE)
    transcript = recognizer.transcribe(path)
    assert (transcript.text, transcript.words) == ("", ())


@pytest.mark.parametrize("gain", [1.0, 0.01, 1e-4])
@pytest.mark.parametrize("snr", [np.inf, 20.0, 5.0])
def test_speech_is_voiced_from_end_to_end_at_any_level_and_in_noise(
    gain: float, snr: float, speech: Waveform
) -> None:
    noise = np.random.default_rng(3).standard_normal(len(speech)) * speech.std()
    noisy = (gain * (speech + noise * 10 ** (-snr / 20))).astype(np.float32)
    stretches = voiced_stretches(noisy, RATE)
    assert stretches.tolist() == [[0.0, len(speech) / RATE]]


def test_of_a_long_silence_only_what_is_within_a_window_of_speech_is_voiced(
    speech: Waveform,
) -> None:
    padded = np.concatenate([np.zeros(10 * RATE), speech, np.zeros(10 * RATE)])
    ((begin, end),) = voiced_stretches(padded.astype(np.float32), RATE)
    assert 10 - WINDOW <= begin <= 10
    assert 10 <= end - len(speech) / RATE <= 10 + WINDOW


def test_a_recording_in_blocks_is_judged_as_in_one(speech: Waveform) -> None:
    silence = np.zeros(4 * RATE, np.float32)
    whole = np.concatenate([speech[: 3 * RATE], silence, speech[3 * RATE : 6 * RATE], silence])
    first = voiced_stretches(whole, RATE)
    again = voiced_stretches(whole[3 * RATE + 2 * RATE :], RATE) + 5.0  # cut within the silence
    assert first[1:] == pytest.approx(again)


@pytest.mark.parametrize("n_samples", [0, 1, 300, 3999])
def test_what_is_too_short_to_tell_is_voiced(n_samples: int) -> None:
    stretches = voiced_stretches(np.zeros(n_samples, np.float32), RATE)
    assert stretches.tolist() == [[0.0, n_samples / RATE]]


def test_change_is_what_a_matrix_of_rank_one_leaves_over() -> None:
    generator = np.random.default_rng(0)
    one = np.outer(generator.random(40), generator.random(16)).astype(np.float32)
    two = generator.random((40, 16)).astype(np.float32)
    squares = np.linalg.svd(two, compute_uv=False) ** 2
    assert change([one, np.zeros_like(one), two]) == pytest.approx(
        [0.0, 0.0, squares[1:].sum() / squares.sum()], abs=1e-6
    )
    assert change([two])[0] > MIN_CHANGE


@pytest.mark.parametrize(
    ("stretches", "silent"),
    [
        ([], [0, 1, 2, 3, 4, 5]),
        ([(0.0, 0.6)], []),
        ([(0.15, 0.2), (0.41, 0.5)], [0, 2, 3, 5]),
        ([(0.2, 0.3)], [0, 1, 3, 4, 5]),
    ],
)
def test_the_blank_is_certain_in_frames_that_touch_no_stretch(
    stretches: Sequence[tuple[float, float]], silent: list[int]
) -> None:
    third = np.float32(np.log(1 / 3))
    log_probs = np.full((6, 3), third)

    blank_outside(log_probs, np.array(stretches).reshape(-1, 2), 0.1)

    assert np.flatnonzero(log_probs[:, 0] == 0).tolist() == silent
    assert np.isneginf(log_probs[silent, 1:]).all()
    assert (np.delete(log_probs, silent, axis=0) == third).all()
