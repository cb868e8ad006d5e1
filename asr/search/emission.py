"""Emission: the log probabilities of one utterance, cut from its batch and checked."""

import numpy as np
from numpy.typing import NDArray

from asr.errors import DataError, ShapeError

Emission = NDArray[np.float64]  # (T, V), natural log, each frame normalised

NORMALISATION_TOLERANCE = 1e-3  # nats; float32 log-softmax is off by 1e-6, logits by whole nats


def split_batch(
    log_probs: NDArray[np.floating], lengths: NDArray[np.int64], *, blank: int
) -> list[Emission]:
    """Cut a batch into its utterances' valid frames.

    Args:
        log_probs: (B, T, V) floating point, natural log, each frame normalised.
        lengths: (B,) int64, valid frames, 0 <= length <= T. Later frames are never read.
        blank: Token id of the CTC blank, 0 <= blank < V.

    Returns:
        One array (length, V) float64 per utterance, in batch order.

    Raises:
        ShapeError: `log_probs` is not (B, T, V) floating point, `lengths` do not fit it, or the
            blank is not one of the V tokens.
        DataError: A valid frame holds NaN or infinity, or is not normalised. Minus infinity, the
            log of zero, is allowed.
    """
    if log_probs.ndim != 3 or not np.issubdtype(log_probs.dtype, np.floating):
        raise ShapeError(
            f"log_probs must be (B, T, V) floating point, got {log_probs.dtype} of shape "
            f"{log_probs.shape}"
        )
    _check_lengths(log_probs, lengths)
    emissions = [
        np.ascontiguousarray(log_probs[b, :length], dtype=np.float64)
        for b, length in enumerate(lengths.tolist())
    ]
    for b, emission in enumerate(emissions):
        check_emission(emission, blank=blank, name=f"utterance {b} of the batch")
    return emissions


def _check_lengths(log_probs: NDArray[np.floating], lengths: NDArray[np.int64]) -> None:
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


def check_emission(emission: Emission, *, blank: int, name: str) -> None:
    """Refuse an array that is not the log probabilities of one utterance.

    Raises:
        ShapeError: It is not (T, V), or the blank is not one of the V tokens.
        DataError: A frame holds NaN or infinity, or is not normalised.
    """
    if emission.ndim != 2 or not 0 <= blank < emission.shape[1]:
        raise ShapeError(
            f"the emission of {name} must be (T, V) with blank {blank} below V, "
            f"got shape {emission.shape}"
        )
    with np.errstate(over="ignore", invalid="ignore"):
        sums = np.exp(emission).sum(axis=1)  # (T,)
        is_bad = ~(np.abs(sums - 1.0) <= NORMALISATION_TOLERANCE)  # NaN is bad too
    if is_bad.any():
        frame = int(np.argmax(is_bad))
        raise DataError(
            f"expected log probabilities that sum to one in every frame, got {sums[frame]:.6g} in "
            f"frame {frame} of {name}: pass log_softmax of finite logits"
        )
