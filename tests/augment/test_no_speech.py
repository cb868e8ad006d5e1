import numpy as np

from asr.augment.no_speech import LEVEL_DB, SECONDS, no_speech, no_speech_seconds

RATE = 16000
N_SEEDS = 60


def test_sounds_last_as_long_as_they_say_and_are_as_loud_as_the_range() -> None:
    levels = []
    for seed in range(N_SEEDS):
        sound = no_speech(RATE, seed)
        assert len(sound) == round(no_speech_seconds(seed) * RATE)
        assert sound.dtype == np.float32
        assert abs(sound).max() <= 1.0
        if sound.any():
            levels.append(10 * np.log10(np.square(sound, dtype=np.float64).mean()))

    seconds = [no_speech_seconds(seed) for seed in range(300)]
    assert SECONDS[0] < min(seconds) < SECONDS[0] + 0.2 < SECONDS[1] - 0.2 < max(seconds)
    assert N_SEEDS * 0.65 < len(levels) < N_SEEDS * 0.95  # a fifth is silent
    assert LEVEL_DB[0] - 0.01 < min(levels) < -60 < -20 < max(levels) < LEVEL_DB[1] + 0.01


def test_there_is_noise_with_all_frequencies_tones_with_few_and_clicks_with_pauses() -> None:
    flatness, crest = [], []
    for seed in range(N_SEEDS):
        sound = no_speech(RATE, seed).astype(np.float64)
        if sound.any():
            power = np.square(abs(np.fft.rfft(sound[:RATE]))) + 1e-12
            flatness.append(np.exp(np.log(power).mean()) / power.mean())
            crest.append(abs(sound).max() / np.sqrt(np.square(sound).mean()))

    assert sum(flat > 0.3 for flat in flatness) >= 3
    assert sum(flat < 0.01 for flat in flatness) >= 10
    assert sum(peak > 8 for peak in crest) >= 3


def test_the_seed_decides_and_nothing_else() -> None:
    assert np.array_equal(no_speech(RATE, 1), no_speech(RATE, 1))
    assert no_speech_seconds(1) != no_speech_seconds(2)
