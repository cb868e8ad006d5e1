"""Emission: the log probabilities of one utterance, taken out of its batch and checked.

The one door between tensors and the searches, which work on numpy arrays.
"""

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from asr.errors import DataError, ShapeError
from asr.lengths import check_lengths

Emission = NDArray[np.float64]  # (T, V), natural log, each frame normalised

NORMALISATION_TOLERANCE = 1e-3  # nats; float32 log-softmax is off by 1e-6, logits by whole nats


def split_batch(log_probs: Tensor, lengths: Tensor, *, blank: int) -> list[Emission]:
    """Cut a batch into the valid frames of its utterances.

    Args:
        log_probs: (B, T, V) floating point on any device, natural log, each frame normalised.
        lengths: (B,) int64, valid frames, 0 <= length <= T. Later frames are never read.
        blank: Token id of the CTC blank, 0 <= blank < V.

    Returns:
        One array (length, V) float64 per utterance, in batch order.

    Raises:
        ShapeError: `log_probs` is not (B, T, V) floating point, `lengths` do not belong to it, or
            there is no such blank.
        DataError: A valid frame holds NaN or infinity, or is not normalised. Minus infinity, the
            log of zero, is allowed.
    """
    if log_probs.ndim != 3 or not log_probs.is_floating_point():
        raise ShapeError(
            f"log_probs must be (B, T, V) floating point, got {log_probs.dtype} of shape "
            f"{tuple(log_probs.shape)}"
        )
    check_lengths(log_probs, lengths, "log_probs")
    batch = log_probs.detach().cpu()
    emissions = [
        batch[b, :length].double().contiguous().numpy() for b, length in enumerate(lengths.tolist())
    ]
    for b, emission in enumerate(emissions):
        check_emission(emission, blank=blank, name=f"utterance {b} of the batch")
    return emissions


def check_emission(emission: Emission, *, blank: int, name: str) -> None:
    """Refuse an array that is not the log probabilities of an utterance.

    Raises:
        ShapeError: It is not (T, V), or there is no such blank.
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
