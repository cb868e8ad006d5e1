"""Reverberation: speech as it sounds in a room."""

import math

import torch
from torch import Tensor

T60 = (0.1, 0.5)  # seconds in which the echoes decay by 60 dB, drawn uniformly
DIRECT_DB = (0.0, 10.0)  # energy of the direct path to that of all echoes, drawn uniformly


def reverberate(waveform: Tensor, sample_rate: int, seed: int) -> Tensor:
    """Play a waveform, (N,), in a random room.

    Returns:
        (N,), without delay, of the same power. Echoes after the end are cut off.

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
    """Draw a room's impulse response, (N,) float32: the direct path first, then echoes."""
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
