"""Cepstral mean and variance normalisation (CMVN), over a corpus or an utterance.

Both are one formula with different statistics. Padding never enters a statistic.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from asr.errors import DataError
from asr.features.padding import zero_padding

MIN_STD = 1e-3  # Speech always varies more; it keeps digital silence finite.


@dataclass(frozen=True, slots=True)
class CmvnStatistics:
    """Mean and standard deviation of each feature: (F,) each, or (B, F), a row per utterance."""

    mean: Tensor
    std: Tensor


def corpus_statistics(utterances: Iterable[Tensor]) -> CmvnStatistics:
    """Compute mean and standard deviation over the frames of all utterances, (F,) float32 each.

    Args:
        utterances: The features of each, (T, F), one after another; sums are float64.

    Raises:
        DataError: The utterances have no frame at all.

    Example:
        >>> statistics = corpus_statistics([torch.tensor([[1.0], [3.0]]), torch.tensor([[2.0]])])
        >>> statistics.mean.item()
        2.0
    """
    n_frames = 0
    total = squares = torch.zeros((), dtype=torch.float64)
    for features in utterances:
        frames = features.double().cpu()
        n_frames += len(frames)
        total = total + frames.sum(0)
        squares = squares + frames.square().sum(0)
    if n_frames == 0:
        raise DataError("CMVN needs at least one frame of features, got none")
    mean = total / n_frames
    variance = squares / n_frames - mean.square()
    return CmvnStatistics(mean.float(), variance.clamp(min=0.0).sqrt().float())


def utterance_statistics(features: Tensor, lengths: Tensor) -> CmvnStatistics:
    """Return each utterance's own mean and standard deviation, (B, F) each.

    Args:
        features: (B, T, F).
        lengths: (B,) int64, valid frames. An empty utterance has mean and deviation 0.
    """
    n_frames = lengths.clamp(min=1).view(-1, 1)
    mean = zero_padding(features, lengths).sum(1) / n_frames
    centred = zero_padding(features - mean.unsqueeze(1), lengths)
    return CmvnStatistics(mean, (centred.square().sum(1) / n_frames).sqrt())


def normalise(features: Tensor, lengths: Tensor, statistics: CmvnStatistics) -> Tensor:
    """Shift and scale features to mean 0 and standard deviation 1 under `statistics`.

    Args:
        features: (B, T, F).
        lengths: (B,) int64, valid frames.
        statistics: Of the corpus, (F,), or of each utterance, (B, F). Deviations below 1e-3 count
            as 1e-3, so that a feature that never varies becomes 0, not NaN.

    Returns:
        (B, T, F) with zero padding, which is also the mean.
    """
    mean, std = statistics.mean, statistics.std.clamp(min=MIN_STD)
    if mean.ndim == 2:
        mean, std = mean.unsqueeze(1), std.unsqueeze(1)  # (B, 1, F)
    return zero_padding((features - mean) / std, lengths)
