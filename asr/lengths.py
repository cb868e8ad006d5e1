"""Lengths: how many samples and frames there are, and how many frames CTC needs.

Lengths are absolute counts of valid positions, int64. The functions take whole numbers, numpy
arrays or tensors, and return the same kind.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, TypeVar

Count = TypeVar("Count", bound=Any)  # int, or an array or tensor of int64


def subsampled_lengths(lengths: Count, stride: int) -> Count:
    """Count the outputs of a layer that has one for every `stride` frames, rounded up."""
    n_outputs: Count = (lengths + stride - 1) // stride
    return n_outputs


def whole_samples(seconds: float, sample_rate: int) -> int:
    """Convert a duration to samples; a fraction of a sample is dropped, as in Kaldi."""
    return int(round(seconds * sample_rate, 6))  # rounding mends 0.009 * 48000 = 431.99999999999994


def n_frames(n_samples: Count, frame_length: int, frame_shift: int) -> Count:
    """Count the frames that lie entirely within each waveform (all arguments in samples)."""
    n_whole: Count = (n_samples - frame_length) // frame_shift + 1
    n_frames: Count = n_whole * (n_whole > 0)  # negative where the waveform is too short
    return n_frames


def n_frames_needed(tokens: Sequence[int]) -> int:
    """Count the frames of the shortest CTC alignment: one per token, and a blank between repeats.

    References:
        Graves et al., "Connectionist Temporal Classification", ICML 2006, section 3.1.

    Example:
        >>> n_frames_needed([3, 5, 5])
        4
    """
    return len(tokens) + sum(one == other for one, other in pairwise(tokens))
