"""Lengths: how many frames there are of so many samples, and how many CTC needs.

Lengths are absolute counts of valid positions, int64. The functions take whole numbers, numpy
arrays and tensors alike, and return the same kind.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, TypeVar

Count = TypeVar("Count", bound=Any)  # int, or an array or tensor of int64


def subsampled_lengths(lengths: Count, stride: int) -> Count:
    """Count the outputs of a strided layer whose windows start at every stride-th valid frame."""
    return (lengths + stride - 1) // stride


def n_frames(n_samples: Count, frame_length: int, frame_shift: int) -> Count:
    """Count the frames that lie wholly inside each waveform (all arguments in samples)."""
    n_whole = (n_samples - frame_length) // frame_shift + 1
    return n_whole * (n_whole > 0)


def n_frames_needed(tokens: Sequence[int]) -> int:
    """Count the frames of the shortest CTC alignment: one a token, and a blank between repeats.

    References:
        Graves et al., "Connectionist Temporal Classification", ICML 2006, section 3.1.

    Example:
        >>> n_frames_needed([3, 5, 5])
        4
    """
    return len(tokens) + sum(one == other for one, other in pairwise(tokens))
