"""Derivatives of features over time, by Kaldi's definition."""

import numpy as np
import torch
from torch import Tensor

from asr.features.padding import zero_padding

WINDOW = 2  # frames on either side


def add_deltas(features: Tensor, lengths: Tensor, order: int) -> Tensor:
    """Append the first `order` time derivatives to every frame.

    A derivative is the slope of a regression line over five frames; the next order is the slope of
    slopes, computed from the features in one step. Beyond its ends an utterance is continued by its
    first and last frame, never by padding or by slopes computed there.

    Args:
        features: (B, T, F).
        lengths: (B,) int64, valid frames. Later frames are never read.
        order: 0 returns the features alone, 1 adds slopes, 2 also their slopes.

    Returns:
        (B, T, F * (order + 1)) with zero padding: the features, then each order.

    References:
        Young et al., "The HTK Book", section 5.9; Kaldi's `add-deltas`.
    """
    if order == 0 or features.shape[1] == 0:
        return features.repeat(1, 1, order + 1)
    derivatives = [features, *(_filter(features, lengths, k) for k in kernels(order))]
    return zero_padding(torch.cat(derivatives, 2), lengths)


def kernels(order: int) -> list[list[float]]:
    """Return the weights of orders 1 to `order`: each is the slope of the previous one."""
    offsets = np.arange(-WINDOW, WINDOW + 1)
    slope = offsets / np.square(offsets).sum()
    kernels = [slope]
    while len(kernels) < order:
        kernels.append(np.convolve(kernels[-1], slope))
    return [kernel.tolist() for kernel in kernels]


def _filter(features: Tensor, lengths: Tensor, kernel: list[float]) -> Tensor:
    """Weigh the frames around each frame of (B, T, F) by a kernel of odd size."""
    extended = _continue_ends(features, lengths, len(kernel) // 2)
    filtered = torch.zeros_like(features)
    for shift, weight in enumerate(kernel):
        filtered = filtered + weight * extended[:, shift : shift + features.shape[1]]
    return filtered


def _continue_ends(features: Tensor, lengths: Tensor, reach: int) -> Tensor:
    """Repeat each utterance's first and last valid frame `reach` times beyond its ends."""
    position = torch.arange(-reach, features.shape[1] + reach, device=features.device)
    index = torch.minimum(position, lengths.unsqueeze(1) - 1).clamp(min=0)  # (B, T + 2 * reach)
    return features.gather(1, index.unsqueeze(2).expand(-1, -1, features.shape[2]))
