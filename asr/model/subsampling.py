"""Subsampling: fewer, richer frames before the recurrent layers.

Log-mel energies go through two 3×3 convolutions over time and frequency. Each halves the
frequencies; their strides in time multiply to the subsampling factor. Another voice shifts its
patterns along the frequency axis, where a convolution still finds them. Features without an order,
such as MFCC, are stacked instead, a few frames into one.

Padding is set to zero first, as a convolution pads an utterance alone, so that the frames of an
utterance do not depend on the rest of its batch.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx
from torch.nn.functional import pad

from asr.features.padding import zero_padding
from asr.lengths import subsampled_lengths
from asr.model.config import TIME_STRIDES


class ConvSubsampling(nn.Module):
    """Shorten (B, T, F) to (B, T / factor, D), rounded up, by two convolutions.

    References:
        Amodei et al., "Deep Speech 2", ICML 2016, section 3.5 (striding, 2-D invariance).
    """

    def __init__(self, n_features: int, *, factor: int, n_channels: int, size: int) -> None:
        super().__init__()
        self.strides = TIME_STRIDES[factor]
        channels = (1, max(1, n_channels // 2), n_channels)  # the first costs most
        self.convolutions = nn.ModuleList(
            nn.Conv2d(channels[i], channels[i + 1], 3, stride=(stride, 2), padding=1)
            for i, stride in enumerate(self.strides)
        )
        n_frequencies = (n_features + 3) // 4  # halved twice, rounding up
        self.projection = nn.Linear(n_channels * n_frequencies, size)
        self.norm = nn.LayerNorm(size)

    def forward(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Map features (B, T, F) and their lengths to frames (B, T', D) and theirs."""
        x = zero_padding(features, lengths).unsqueeze(1)  # (B, 1, T, F)
        for convolution, stride in zip(self.convolutions, self.strides, strict=True):
            lengths = subsampled_lengths(lengths, stride)
            x = _rectify_valid(convolution(x), lengths)  # (B, C, T', F')
        return self.norm(self.projection(x.transpose(1, 2).flatten(2))), lengths  # (B, T', D)


class FrameStacking(nn.Module):
    """Shorten (B, T, F) to (B, T / factor, D), rounded up, by a linear map of stacked frames."""

    def __init__(self, n_features: int, *, factor: int, size: int) -> None:
        super().__init__()
        self.factor = factor
        self.projection = nn.Linear(factor * n_features, size)
        self.norm = nn.LayerNorm(size)

    def forward(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Map features (B, T, F) and their lengths to frames (B, T', D) and theirs."""
        n_utterances, n_frames, n_features = features.shape
        x = pad(zero_padding(features, lengths), (0, 0, 0, -n_frames % self.factor))
        x = x.reshape(n_utterances, -1, self.factor * n_features)  # (B, T', factor * F)
        return self.norm(self.projection(x)), subsampled_lengths(lengths, self.factor)


def _rectify_valid(x: Tensor, lengths: Tensor) -> Tensor:
    rectified: Tensor = _RectifyValid.apply(x, lengths)  # type: ignore[no-untyped-call]
    return rectified


class _RectifyValid(torch.autograd.Function):
    """Rectify (B, C, T, F) and zero its padding, NaN included, in a third of the time of masks.

    It works in place. The gradient is zero exactly where the output is, so only that is kept.
    """

    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, lengths: Tensor) -> Tensor:
        ctx.mark_dirty(x)
        x.relu_()
        for channels, length in zip(x, lengths.tolist(), strict=True):
            channels[:, length:] = 0.0
        ctx.save_for_backward(x)
        return x

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:  # noqa: ANN401 (as torch has it)
        (x,) = ctx.saved_tensors
        return gradient * x.sign(), None
