"""Log-mel energies: what they mean, where they end, and that a batch changes nothing."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from asr.errors import ConfigError, ShapeError
from asr.features import fbank
from asr.features.fbank import MIN_LOG_ENERGY, LogMel, mel, mel_filters, povey_window
from tests.conftest import make_config


def _log_mel(n_mels: int = 40, min_log_energy: float = MIN_LOG_ENERGY) -> LogMel:
    config = make_config(
        features__n_mels=n_mels,
        features__high_frequency=8000.0,
        features__min_log_energy=min_log_energy,
    )
    return LogMel(config.features)


def _noise(*shape: int) -> Tensor:
    return 0.1 * torch.randn(*shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("frequency", [200.0, 1000.0, 3000.0, 7000.0])
def test_a_tone_is_loudest_in_the_filter_whose_peak_is_nearest(frequency: float) -> None:
    tone = 0.5 * torch.sin(2 * math.pi * frequency * torch.arange(1600) / 16000)
    features, _ = _log_mel()(tone.unsqueeze(0), torch.tensor([1600]))
    low, high = mel(torch.tensor([20.0, 8000.0])).tolist()
    centres = torch.linspace(low, high, 42)[1:-1]
    nearest = (centres - mel(torch.tensor(frequency))).abs().argmin()
    assert (features[0].argmax(1) == nearest).all()


def test_twice_the_amplitude_is_four_times_the_energy() -> None:
    waveforms = _noise(1, 1600)
    once, _ = _log_mel()(waveforms, torch.tensor([1600]))
    twice, _ = _log_mel()(2 * waveforms, torch.tensor([1600]))
    torch.testing.assert_close(twice, once + math.log(4.0))


def test_a_constant_offset_of_the_samples_is_not_heard() -> None:
    waveforms = _noise(1, 1600)
    without, _ = _log_mel()(waveforms, torch.tensor([1600]))
    shifted, _ = _log_mel()(waveforms + 0.25, torch.tensor([1600]))
    torch.testing.assert_close(shifted, without, atol=1e-3, rtol=0)


@pytest.mark.parametrize(
    ("n_samples", "n_frames"), [(0, 0), (399, 0), (400, 1), (559, 1), (560, 2)]
)
def test_only_frames_wholly_inside_the_waveform_are_taken(n_samples: int, n_frames: int) -> None:
    features, lengths = _log_mel()(_noise(1, n_samples), torch.tensor([n_samples]))
    assert features.shape == (1, n_frames, 40)
    assert lengths.tolist() == [n_frames]


def test_an_empty_batch_has_no_features() -> None:
    features, lengths = _log_mel()(torch.zeros(0, 800), torch.zeros(0, dtype=torch.int64))
    assert features.shape == (0, 0, 40)
    assert lengths.shape == (0,)


def test_blocks_leave_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    waveforms, lengths = _noise(3, 16000), torch.tensor([16000, 16000, 9000])
    whole, _ = _log_mel()(waveforms, lengths)
    monkeypatch.setattr(fbank, "FRAMES_PER_BLOCK", 7)
    in_blocks, _ = _log_mel()(waveforms, lengths)
    torch.testing.assert_close(in_blocks, whole, atol=1e-5, rtol=0)


def test_windowed_frames_have_the_bits_of_kaldis_loop() -> None:
    waveform = 1000 * _noise(1, 2000).numpy()[0]
    frames = torch.from_numpy(waveform).unsqueeze(0).unfold(1, 400, 160)
    windowed = _log_mel()._windowed(frames)[0].numpy()
    for start, row in zip(range(0, 1601, 160), windowed, strict=True):
        np.testing.assert_array_equal(row, _kaldis_loop(waveform[start : start + 400]))


def test_the_spectrum_adds_no_noise_to_nearly_empty_bands() -> None:
    tone = 0.9 * torch.sin(2 * math.pi * 440 * torch.arange(400) / 16000).unsqueeze(0)
    log_mel = _log_mel(n_mels=80)
    features, _ = log_mel(tone, torch.tensor([400]))
    windowed = log_mel._windowed(32768 * tone.unsqueeze(1))[0, 0].double()
    angles = torch.arange(400.0).outer(torch.arange(257.0)).double() * 2 * math.pi / 512
    power = (windowed @ angles.cos()).square() + (windowed @ angles.sin()).square()
    expected = torch.log(power @ mel_filters(80, 512, 16000, 20.0, 8000.0)).float()
    assert expected.max() - expected.min() > 18  # nats, 80 dB
    torch.testing.assert_close(features[0, 0], expected, atol=1e-5, rtol=1e-5)


def test_silence_is_the_floor() -> None:
    silence, lengths = torch.zeros(1, 800), torch.tensor([800])
    assert _log_mel()(silence, lengths)[0].unique().item() == pytest.approx(-15.942385)
    assert _log_mel(min_log_energy=6.0)(silence, lengths)[0].unique().item() == pytest.approx(6.0)


def test_the_floor_leaves_louder_bands_as_they_are() -> None:
    waveforms, lengths = 0.01 * _noise(1, 1600), torch.tensor([1600])
    features, _ = _log_mel()(waveforms, lengths)
    floor = features.median().item()
    floored, _ = _log_mel(min_log_energy=floor)(waveforms, lengths)
    torch.testing.assert_close(floored, features.clamp(min=floor))


def test_bfloat16_autocast_does_not_reach_the_features() -> None:
    waveforms, lengths = _noise(1, 1600), torch.tensor([1600])
    expected, _ = _log_mel()(waveforms, lengths)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        features, _ = _log_mel()(waveforms, lengths)
    assert torch.equal(features, expected)


def test_gradients_reach_the_waveform() -> None:
    waveforms = _noise(1, 1600).requires_grad_()
    features, _ = _log_mel()(waveforms, torch.tensor([1600]))
    features.sum().backward()
    assert waveforms.grad is not None
    assert waveforms.grad.isfinite().all()
    assert waveforms.grad.abs().sum() > 0


@pytest.mark.parametrize("waveforms", [torch.zeros(800), torch.zeros(1, 800, dtype=torch.float64)])
def test_waveforms_of_another_shape_or_type_are_refused(waveforms: Tensor) -> None:
    with pytest.raises(ShapeError, match="waveforms must be"):
        _log_mel()(waveforms, torch.tensor([800]))


def test_lengths_beyond_the_waveform_are_refused() -> None:
    with pytest.raises(ShapeError, match="lengths of waveforms"):
        _log_mel()(torch.zeros(1, 800), torch.tensor([801]))


def test_more_filters_than_the_spectrum_resolves_are_refused() -> None:
    with pytest.raises(ConfigError, match="filters are too many"):
        _log_mel(n_mels=200)


def test_filters_add_up_to_one_between_the_first_and_the_last_peak() -> None:
    total = mel_filters(40, 4096, 16000, 100.0, 7000.0).sum(1)
    frequencies = torch.arange(2049) * 16000 / 4096
    low, high = mel(torch.tensor([100.0, 7000.0])).tolist()
    peaks = torch.linspace(low, high, 42)
    inside = (mel(frequencies) >= peaks[1]) & (mel(frequencies) <= peaks[-2])
    torch.testing.assert_close(total[inside], torch.ones_like(total[inside]))
    assert (total[(frequencies < 100.0) | (frequencies > 7000.0)] == 0.0).all()


def test_a_thousand_hertz_are_a_thousand_mel() -> None:
    assert mel(torch.tensor(1000.0)).item() == pytest.approx(1000.0, abs=0.1)


def test_the_window_is_symmetric_and_goes_to_zero() -> None:
    window = povey_window(400)
    torch.testing.assert_close(window, window.flip(0))
    assert window[0] == 0.0
    assert window.max().item() == pytest.approx(1.0, abs=1e-4)


def _kaldis_loop(samples: np.ndarray) -> np.ndarray:
    """Process a frame as Kaldi's `ProcessWindow` does, one float32 operation after another."""
    total = np.float32(0)
    for sample in samples:
        total += sample
    samples = samples - total / np.float32(len(samples))
    emphasised = samples.copy()
    for i in reversed(range(len(samples))):
        emphasised[i] -= np.float32(0.97) * samples[max(i - 1, 0)]
    windowed: np.ndarray = emphasised * povey_window(len(samples)).numpy()
    return windowed
