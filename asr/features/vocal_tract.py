"""Vocal tract length perturbation: the same words, as from a longer or a shorter throat.

A throat a tenth shorter raises all resonances of the voice by about a tenth, and leaves its pitch
and pace. So few speakers become many, for a model that is to understand others.
"""

import torch
from torch import Tensor

from asr.features.fbank import mel

KNEE = (
    0.75  # of the highest frequency; resonances above are squeezed or spread to end where it does
)


def warp_frequencies(features: Tensor, factors: Tensor, band: tuple[float, float]) -> Tensor:
    """Read log-mel energies at frequencies multiplied by a factor an utterance.

    Args:
        features: (B, T, F) of F filters of equal width on the mel scale.
        factors: (B,) near 1: above 1, what stood at a frequency comes to stand at a lower one.
        band: Hertz where the lowest filter begins and the highest one ends.

    Returns:
        (B, T, F): between two filters by linear interpolation, beyond the outermost what they say.

    References:
        Jaitly and Hinton, "Vocal tract length perturbation (VTLP) improves speech recognition",
        ICML 2013 workshop on deep learning for audio, speech and language processing (the warp;
        there of the filters, here of their energies).
    """
    n_filters = features.shape[2]
    low, high = (float(mel(torch.tensor(edge, dtype=torch.float64))) for edge in band)
    width = (high - low) / (n_filters + 1)
    centres = low + width * torch.arange(1, n_filters + 1, dtype=torch.float64)
    read_at = mel(_warped(_hertz(centres), factors.double().unsqueeze(1), band[1]))  # (B, F)
    positions = ((read_at - low) / width - 1).clamp(0.0, n_filters - 1.0)
    sources = torch.arange(n_filters, dtype=torch.float64)
    shares = (1 - (positions.unsqueeze(1) - sources[:, None]).abs()).clamp(min=0.0)
    return features @ shares.to(features)  # (B, F, F): of each source in each filter


def draw_factors(
    n_utterances: int, max_warp: float, generator: torch.Generator, strength: float = 1.0
) -> Tensor:
    """Draw a factor an utterance, (B,) float64, uniform within 1 ± strength * max_warp."""
    chances = torch.rand(n_utterances, dtype=torch.float64, generator=generator)
    return 1 + strength * max_warp * (2 * chances - 1)


def _warped(frequencies: Tensor, factors: Tensor, highest: float) -> Tensor:
    """Multiply frequencies by factors up to a knee, then go in a straight line to the highest."""
    knee = KNEE * highest * factors.clamp(max=1.0)
    slope = (highest - knee) / (highest - knee / factors)
    above = highest - slope * (highest - frequencies)
    return torch.where(frequencies <= knee / factors, frequencies * factors, above)


def _hertz(mels: Tensor) -> Tensor:
    """Map mel to hertz."""
    return 700.0 * torch.expm1(mels / 1127.0)
