"""Reverberation: how a recording sounds in a room, as more training data."""

import math

import torch
from torch import Tensor

T60 = (0.1, 0.5)  # seconds in which the echoes fall by 60 dB, drawn evenly
DIRECT_DB = (0.0, 10.0)  # of the direct path's energy to that of all echoes, drawn evenly


def reverberate(waveform: Tensor, sample_rate: int, seed: int) -> Tensor:
    """Play a waveform in a room that is drawn by chance.

    Args:
        waveform: (N,) float32, N >= 1.
        sample_rate: Hz.
        seed: The only source of chance, 0 or more.

    Returns:
        (N,) float32, not delayed, of the same power; it may leave [-1, 1]. What would sound on
        behind the end is cut off.

    References:
        Polack, "La transmission de l'énergie sonore dans les salles", 1988 (echoes as Gaussian
        noise that decays exponentially).
    """
    response = room_response(sample_rate, seed)
    n_whole = len(waveform) + len(response) - 1
    n_fft = 1 << (n_whole - 1).bit_length()
    spectrum = torch.fft.rfft(waveform, n_fft) * torch.fft.rfft(response, n_fft)
    played: Tensor = torch.fft.irfft(spectrum, n_fft)[: len(waveform)]
    power, without = played.square().mean(), waveform.square().mean()
    return played * (without / power.clamp(min=1e-12)).sqrt()


def room_response(sample_rate: int, seed: int) -> Tensor:
    """Draw what a room makes of one sample: (N,) float32, the direct path first, then echoes."""
    generator = torch.Generator().manual_seed(seed)
    t60, direct = (
        low + (high - low) * float(torch.rand((), generator=generator))
        for low, high in (T60, DIRECT_DB)
    )
    n_samples = round(t60 * sample_rate)
    seconds = torch.arange(n_samples) / sample_rate
    decay = torch.exp(-math.log(1000.0) / t60 * seconds)
    response = torch.randn(n_samples, generator=generator) * decay
    response[0] = 0.0
    response *= 10 ** (-direct / 20) / response.norm()
    response[0] = 1.0
    return response
