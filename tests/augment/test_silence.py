import numpy as np
import pytest

from asr.augment.noise import mean_power, noise_loops
from asr.augment.silence import MAX_SECONDS, SNR_DB, add_silence, silence_seconds

RATE = 16000
SPEECH = (0.1 * np.sin(np.arange(RATE) / 10.0)).astype(np.float32)
LOOPS = noise_loops(RATE, seed=0)


@pytest.mark.parametrize("seed", range(20))
def test_speech_lies_between_pauses_of_the_drawn_durations(seed: int) -> None:
    before, after = (round(seconds * RATE) for seconds in silence_seconds(seed))

    longer = add_silence(SPEECH, RATE, LOOPS, mean_power(SPEECH), seed)

    assert len(longer) == before + RATE + after
    assert abs(longer[before : before + RATE] - SPEECH).max() < 0.02
    assert abs(longer[:before]).max() < 0.02


def test_pauses_have_every_duration_up_to_the_longest() -> None:
    drawn = np.array([silence_seconds(seed) for seed in range(300)])

    assert drawn.min() < 0.1
    assert MAX_SECONDS - 0.1 < drawn.max() < MAX_SECONDS


def test_half_of_the_pauses_are_digital_silence_and_the_others_faint_noise() -> None:
    power = mean_power(SPEECH)
    before = [add_silence(SPEECH, RATE, LOOPS, power, 2 * seed)[:100] for seed in range(100)]

    levels = [10 * np.log10(mean_power(pause) / power) for pause in before if pause.any()]

    assert 35 < len(levels) < 65
    assert -SNR_DB[1] - 10 < min(levels) < max(levels) < -SNR_DB[0] + 10
