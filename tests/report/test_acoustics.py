from pathlib import Path

import numpy as np
import pytest

from asr.audio.write import write_waveform
from asr.corpus.utterance import Utterance
from asr.report.acoustics import SAMPLE_RATE, measure, measure_all


def test_level_and_ratio_are_those_of_a_tone_over_noise() -> None:
    random = np.random.default_rng(0)
    noise = 0.01 * random.standard_normal(2 * SAMPLE_RATE)  # -40 dB
    tone = np.sqrt(2) * 0.1 * np.sin(np.arange(SAMPLE_RATE) * 0.3)  # -20 dB, in the first half
    noise[:SAMPLE_RATE] += tone

    found = measure(noise.astype(np.float32))

    assert found is not None
    assert found.level == pytest.approx(-23.0, abs=0.1)
    assert found.snr == pytest.approx(20.0, abs=1.0)


def test_digital_silence_has_a_finite_level() -> None:
    found = measure(np.zeros(SAMPLE_RATE, np.float32))

    assert found is not None
    assert (found.level, found.snr) == (-100.0, 0.0)


def test_less_than_a_frame_is_not_measured() -> None:
    assert measure(np.ones(100, np.float32)) is None


def test_recordings_that_cannot_be_read_are_left_out(tmp_path: Path) -> None:
    write_waveform(tmp_path / "a.wav", np.full(SAMPLE_RATE, 0.1), SAMPLE_RATE)

    found = measure_all([Utterance("a", tmp_path / "a.wav"), Utterance("b", tmp_path / "b.wav")])

    assert list(found) == ["a"]
    assert found["a"].level == pytest.approx(-20.0, abs=0.01)
