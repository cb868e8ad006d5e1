"""Normalisation over a window: level, silence, other speakers and noise do not matter."""

import pytest
import torch
from torch import Tensor

from asr.features.front_end import FrontEnd
from asr.features.window_cmvn import MIN_RANGE, level_of, normalise_by_window
from tests.conftest import make_config, pad_with_nan

SAMPLE_RATE = 16000
FRAME_SHIFT = 0.01
WINDOW = 3.0  # seconds
REACH = 350  # frames on either side that a frame may depend on: window, smoothing and hold

FRONT_END = FrontEnd(
    make_config(
        features__high_frequency=6400.0,
        features__min_log_energy=-15.94,
        features__cmvn="window",
        features__cmvn_window=WINDOW,
    ).features
)


def speech(seconds: float, *, level: float = 0.1, seed: int = 0) -> Tensor:
    """Syllables, four a second: buzz and hiss that swell and fade by 50 dB."""
    generator = torch.Generator().manual_seed(seed)
    time = torch.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    pitch = 100.0 + 60.0 * torch.rand((), generator=generator)
    buzz = sum(torch.sin(2 * torch.pi * k * pitch * time) / k for k in range(1, 30))
    hiss = torch.randn(len(time), generator=generator)
    swell = 10 ** (2.5 * (torch.sin(torch.pi * 4.0 * time).square() - 1.0))
    waveform: Tensor = level * swell * (buzz * torch.cos(7.0 * time).square() + 0.3 * hiss)
    return waveform


def noise(seconds: float, level: float) -> Tensor:
    generator = torch.Generator().manual_seed(9)
    return level * torch.randn(round(seconds * SAMPLE_RATE), generator=generator)


def features(*parts: Tensor) -> Tensor:
    """Return the features of one recording, (T, F)."""
    waveform = torch.cat(parts)
    batch, _ = FRONT_END(waveform.unsqueeze(0), torch.tensor([len(waveform)]))
    first: Tensor = batch[0]
    return first


@pytest.mark.parametrize("gain", [10.0, 0.1, 0.01, 0.001])
def test_the_same_speech_at_another_level_has_the_same_features(gain: float) -> None:
    utterance = speech(8.0)
    torch.testing.assert_close(features(gain * utterance), features(utterance), atol=1e-3, rtol=0.0)


@pytest.mark.parametrize("context", ["zeros", "noise", "loud speech", "faint speech"])
def test_what_is_further_than_a_window_changes_nothing(context: str) -> None:
    before = {
        "zeros": torch.zeros(20 * SAMPLE_RATE),
        "noise": noise(20.0, 0.01),
        "loud speech": speech(20.0, level=1.0, seed=1),
        "faint speech": speech(20.0, level=0.001, seed=1),
    }[context]
    utterance = speech(8.0)
    alone, after = features(utterance), features(before, utterance)
    torch.testing.assert_close(after[2000 + REACH :], alone[REACH:], atol=1e-4, rtol=0.0)
    ahead = features(utterance, before)
    torch.testing.assert_close(
        ahead[: len(alone) - REACH], alone[: len(alone) - REACH], atol=1e-4, rtol=0.0
    )


def test_silence_before_and_after_hardly_changes_the_first_and_last_words() -> None:
    utterance, silence = speech(8.0), torch.zeros(20 * SAMPLE_RATE)
    alone = features(utterance)
    between = features(silence, utterance, silence)[2000:][: len(alone)]
    assert (between - alone).abs().mean() < 0.1


def test_a_speaker_20_db_below_the_one_before_is_at_his_own_level_in_half_a_second() -> None:
    loud, quiet = speech(8.0, seed=1), speech(8.0, level=0.01)
    start = len(features(loud)) + 60
    as_loud, quieter = features(loud, 10.0 * quiet), features(loud, quiet)
    torch.testing.assert_close(quieter[start:], as_loud[start:], atol=0.2, rtol=0.0)


def test_a_click_hardly_changes_what_is_half_a_second_away() -> None:
    click = torch.zeros(8 * SAMPLE_RATE)
    click[4 * SAMPLE_RATE : 4 * SAMPLE_RATE + 80] = 0.9
    utterance = speech(8.0, level=0.01)
    difference = (features(utterance + click) - features(utterance)).abs()
    assert difference[:350].max() < 0.3
    assert difference[450:].max() < 0.3


def spread(of: Tensor) -> float:
    """Return the mean over features of the standard deviation in time."""
    return of.std(0).mean().item()


@pytest.mark.parametrize("level", [1e-5, 1e-3, 1e-1])
def test_steady_noise_is_lower_and_flatter_than_speech_at_any_level(level: float) -> None:
    of_speech, of_noise = features(speech(20.0)), features(noise(20.0, level))
    assert spread(of_noise) < 0.4 * spread(of_speech)
    loudest = of_speech.mean(1).quantile(0.9)
    assert of_noise.mean(1).max() < loudest - 1.0


def test_digital_silence_is_lower_than_speech_and_never_varies() -> None:
    silence = features(torch.zeros(20 * SAMPLE_RATE))
    assert silence.isfinite().all()
    assert silence[500:1500].std() < 0.1
    assert silence.mean() < features(speech(20.0)).mean(1).quantile(0.9) - 1.0


def test_hours_later_the_same_frames_have_the_same_features() -> None:
    log_mel = 20.0 * torch.rand(1, 1000, 3, generator=torch.Generator().manual_seed(1))
    hours = log_mel.repeat(1, 3 * 360, 1)  # three hours
    lengths = torch.tensor([hours.shape[1]])
    normalised = normalise_by_window(hours, lengths, window=WINDOW, frame_shift=FRAME_SHIFT)
    first, last = normalised[0, 1000:2000], normalised[0, -2000:-1000]
    torch.testing.assert_close(last, first, atol=1e-6, rtol=0.0)


def test_each_utterance_alone_is_itself_in_a_batch_whatever_the_padding_holds() -> None:
    generator = torch.Generator().manual_seed(1)
    utterances = [20.0 * torch.rand(n, 4, generator=generator) for n in (700, 0, 1, 151, 299, 20)]
    batch, lengths = pad_with_nan(utterances)
    together = normalise_by_window(batch, lengths, window=WINDOW, frame_shift=FRAME_SHIFT)
    for row, utterance in zip(together, utterances, strict=True):
        alone = normalise_by_window(
            utterance.unsqueeze(0),
            torch.tensor([len(utterance)]),
            window=WINDOW,
            frame_shift=FRAME_SHIFT,
        )
        assert torch.equal(row[: len(utterance)], alone[0])
        assert (row[len(utterance) :] == 0.0).all()


def test_the_level_is_that_of_the_quietest_stretch_around_a_frame() -> None:
    """By enumeration: stretches of 3 frames, in a recording of 9 and in one of 2."""
    energy = torch.tensor([5.0, 0.0, 0.0, 9.0, 0.0, 0.0, 0.0, 0.0, 4.0])
    for n_frames in (9, 2):
        stretches = [
            range(start, min(start + 3, n_frames)) for start in range(max(1, n_frames - 2))
        ]
        highest = [
            min(max(energy[i] for i in stretch) for stretch in stretches if frame in stretch)
            for frame in range(n_frames)
        ]
        lowest = [
            max(min(energy[i] for i in stretch) for stretch in stretches if frame in stretch)
            for frame in range(n_frames)
        ]
        level = level_of(energy.unsqueeze(0), torch.tensor([n_frames]), reach=2, hold=0)
        for got, high, low in zip(level[0, :n_frames], highest, lowest, strict=True):
            assert got == max(high, low + MIN_RANGE)
