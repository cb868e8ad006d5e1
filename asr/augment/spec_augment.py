"""Mask stretches of time and bands of frequency, so that a model cannot rely on any of them."""

import torch
from torch import Tensor

from asr.augment.config import AugmentConfig


def spec_augment(
    features: Tensor,
    lengths: Tensor,
    config: AugmentConfig,
    frame_shift: float,
    generator: torch.Generator,
    strength: float = 1.0,
    rows: slice = slice(None),
) -> Tensor:
    """Set random bands and stretches of normalised features to 0, their mean.

    The masks of an utterance depend on its own length and on chance, not on the rest of the batch:
    longer speech has more stretches masked, not longer ones.

    Args:
        features: (B, T, F), after CMVN.
        lengths: (B,) int64, valid frames; of the whole batch if `rows` is a part of it.
        config: How much is masked.
        frame_shift: Seconds per frame.
        generator: The only source of randomness, on any device.
        strength: Share of the masks to draw, on average, 0 to 1.
        rows: The rows of the batch that `features` are. Masks are drawn for the whole batch, so
            that it can be masked in parts.

    Returns:
        (B, T, F), a new tensor; padding is unchanged.

    References:
        Park et al., "SpecAugment: A Simple Data Augmentation Method for Automatic Speech
        Recognition", Interspeech 2019; number of masks by length: Park et al., "SpecAugment on
        Large Scale Datasets", ICASSP 2020.
    """
    frames = lengths.double().to(generator.device)
    bands = _random_spans(
        n_spans=torch.full_like(frames, strength * config.n_frequency_masks),
        max_width=torch.full_like(frames, min(config.max_frequency_bins, features.shape[2])),
        size=torch.full_like(frames, features.shape[2]),
        n_positions=features.shape[2],
        generator=generator,
    )  # (B, F)
    longest = config.max_time_seconds / frame_shift
    stretches = _random_spans(
        n_spans=strength * frames * frame_shift * config.time_masks_per_second,
        max_width=(frames * config.max_time_fraction).clamp(max=longest).floor(),
        size=frames,
        n_positions=features.shape[1],
        generator=generator,
    )  # (B, T)
    masked = bands[rows].unsqueeze(1) | stretches[rows].unsqueeze(2)  # (B, T, F)
    return features.masked_fill(masked.to(features.device), 0.0)


def _random_spans(
    *,
    n_spans: Tensor,
    max_width: Tensor,
    size: Tensor,
    n_positions: int,
    generator: torch.Generator,
) -> Tensor:
    """Cover random spans: (B, n_positions) bool.

    All tensors are (B,) float64. A fractional number of spans is rounded up or down at random, so
    that it is right on average. Widths are uniform in 0..max_width; starts are uniform over all
    that fit within `size`.
    """
    most = int(n_spans.max().ceil()) if len(n_spans) else 0
    chance = torch.rand(len(n_spans), most + 1, 2, generator=generator, device=generator.device)
    count = (n_spans + chance[:, 0, 0]).floor()
    width, start = chance[:, 1:].double().unbind(2)  # (B, most), uniform in [0, 1)
    width = (width * (max_width + 1).unsqueeze(1)).floor()
    start = (start * (size.unsqueeze(1) - width + 1)).floor()
    exists = torch.arange(most, device=generator.device) < count.unsqueeze(1)
    end = torch.where(exists, start + width, start).unsqueeze(2)
    position = torch.arange(n_positions, device=generator.device)
    return ((position >= start.unsqueeze(2)) & (position < end)).any(1)
