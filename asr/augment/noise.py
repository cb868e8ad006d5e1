"""Noise: speech with a hiss or a rumble in the background."""

import torch
from torch import Tensor

SNR_DB = (5.0, 20.0)  # speech to noise, in power, drawn uniformly
TILT = (0.0, 2.0)  # power falls as frequency to this: 0 is white, 1 pink, 2 brown; drawn uniformly
FLAT_BELOW = 50.0  # Hz; otherwise a steep tilt would put all noise where nobody hears it


def add_noise(waveform: Tensor, sample_rate: int, seed: int) -> Tensor:
    """Add noise of random colour and level to a waveform, (N,); silence stays silent."""
    generator = torch.Generator().manual_seed(seed)
    tilt, snr = (
        low + (high - low) * float(torch.rand((), generator=generator))
        for low, high in (TILT, SNR_DB)
    )
    noise = coloured_noise(len(waveform), sample_rate, tilt, generator)
    power = waveform.square().mean() / noise.square().mean().clamp(min=1e-12)
    return waveform + noise * (power / 10 ** (snr / 10)).sqrt()


def coloured_noise(
    n_samples: int, sample_rate: int, tilt: float, generator: torch.Generator
) -> Tensor:
    """Make noise whose power falls as frequency to the power of `tilt`, (N,) float32."""
    n_fft = 1 << (n_samples - 1).bit_length()  # other lengths take up to ten times as long
    spectrum = torch.fft.rfft(torch.randn(n_fft, generator=generator))
    frequencies = torch.fft.rfftfreq(n_fft, 1 / sample_rate)
    shape = (frequencies.clamp(min=FLAT_BELOW) / FLAT_BELOW) ** (-tilt / 2)
    noise: Tensor = torch.fft.irfft(spectrum * shape, n_fft)[:n_samples]
    return noise
