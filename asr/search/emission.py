"""Emission: the log probabilities of one utterance, cut from its batch and checked."""

import numpy as np
from numpy.typing import NDArray

from asr.errors import DataError, ShapeError

Emission = NDArray[np.float64]  # (T, V), natural log, each frame normalised

BLANK = 0  # token id of the CTC blank

NORMALISATION_TOLERANCE = 1e-3  # nats; float32 log-softmax is off by 1e-6, logits by whole nats


def split_batch(log_probs: NDArray[np.floating], lengths: NDArray[np.int64]) -> list[Emission]:
    """Cut a batch into its utterances' valid frames.

    Args:
        log_probs: (B, T, V) floating point, natural log, each frame normalised.
        lengths: (B,) int64, valid frames, 0 <= length <= T. Later frames are never read.

    Returns:
        One array (length, V) float64 per utterance, in batch order.

    Raises:
        ShapeError: `log_probs` is not (B, T, V) floating point, or `lengths` do not fit it.
        DataError: A valid frame holds NaN or infinity, or is not normalised. Minus infinity, the
            log of zero, is allowed.
    """
    is_floating = np.issubdtype(log_probs.dtype, np.floating)
    if log_probs.ndim != 3 or not log_probs.shape[2] or not is_floating:
        raise ShapeError(
            f"log_probs must be (B, T, V) floating point, got {log_probs.dtype} of shape "
            f"{log_probs.shape}"
        )
    n_utterances, n_frames, _ = log_probs.shape
    if lengths.shape != (n_utterances,) or lengths.dtype != np.int64:
        raise ShapeError(
            f"lengths of log_probs must be int64 of shape ({n_utterances},), "
            f"got {lengths.dtype} of shape {lengths.shape}"
        )
    if len(lengths) and (lengths.min() < 0 or lengths.max() > n_frames):
        raise ShapeError(
            f"lengths of log_probs must lie in 0..{n_frames}, got {lengths.min()}..{lengths.max()}"
        )
    return [
        checked(log_probs[b, :length], f"utterance {b} of the batch")
        for b, length in enumerate(lengths.tolist())
    ]


def checked(log_probs: NDArray[np.floating], name: str) -> Emission:
    """Take the log probabilities of one utterance, (T, V), that `name` names in an error.

    Raises:
        DataError: A frame holds NaN or infinity, or is not normalised.
    """
    emission = np.ascontiguousarray(log_probs, dtype=np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        sums = np.exp(emission).sum(axis=1)  # (T,)
        is_bad = ~(np.abs(sums - 1.0) <= NORMALISATION_TOLERANCE)  # NaN is bad too
    if is_bad.any():
        frame = int(np.argmax(is_bad))
        raise DataError(
            f"expected log probabilities that sum to one in every frame, got {sums[frame]:.6g} in "
            f"frame {frame} of {name}: pass log_softmax of finite logits"
        )
    return emission
