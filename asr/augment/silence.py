"""Silence: speech with long pauses before and after, unlike a corpus that was cut to sentences."""

import torch
from torch import Tensor
from torch.nn.functional import pad

from asr.augment.noise import TILT, coloured_noise

MAX_SECONDS = 6.0  # of either pause; durations are drawn uniformly
DIGITAL_SHARE = 0.5  # of pauses without even a faint noise
SNR_DB = (30.0, 70.0)  # speech to faint noise, in power, drawn uniformly


def silence_seconds(seed: int) -> tuple[float, float]:
    """Draw the durations of the pauses before and after."""
    generator = torch.Generator().manual_seed(seed)
    before, after = (MAX_SECONDS * torch.rand(2, generator=generator)).tolist()
    return before, after


def add_silence(waveform: Tensor, sample_rate: int, seed: int) -> Tensor:
    """Add a pause before and one after, of digital silence or, throughout, of faint noise.

    Args:
        waveform: (N,) float32, N >= 1.
        sample_rate: Hz.
        seed: The only source of randomness, at least 0.

    Returns:
        (N',) float32, longer by `silence_seconds(seed)`; it may exceed [-1, 1].
    """
    before, after = (round(seconds * sample_rate) for seconds in silence_seconds(seed))
    padded = pad(waveform, (before, after))
    generator = torch.Generator().manual_seed(seed + 1)
    is_digital, tilt, snr = torch.rand(3, generator=generator).tolist()
    if is_digital < DIGITAL_SHARE:
        return padded
    tilt, snr = (low + (high - low) * x for (low, high), x in ((TILT, tilt), (SNR_DB, snr)))
    noise = coloured_noise(len(padded), sample_rate, tilt, generator)
    power = waveform.square().mean() / noise.square().mean().clamp(min=1e-12)
    noisy: Tensor = padded + noise * (power / 10 ** (snr / 10)).sqrt()
    return noisy
