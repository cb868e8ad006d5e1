"""What CTC-CRF divides by: the sum over all token sequences that could have been said instead.

CTC makes the given tokens probable, each frame for itself. Here token sequences compete as wholes:
the probability of each by CTC, times its probability by a trigram over tokens. So a network need
not learn from a few hours of speech which tokens follow which, and learns to tell apart those that
a search, with its language model, would confuse.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def log_denominator(log_probs: Tensor, lengths: Tensor, trigram: Tensor) -> Tensor:
    """Sum, over all token sequences, the probability by CTC times that by a trigram.

    The CTC loss of a sequence, plus this, plus minus the logarithm of its own probability by the
    trigram, is minus the log-probability of the sequence among all. It is computed on the CPU,
    wherever the emission is.

    Args:
        log_probs: (B, T, V) float, natural log, normalised, token 0 the blank; padding is never
            read, and its gradient is zero.
        lengths: (B,) int64, valid frames.
        trigram: (V, V, V) float64, as `dense_trigram` makes it.

    Returns:
        (B,) float, natural log; NaN where an emission is.

    References:
        Xiang and Ou, "CRF-based single-stage acoustic modeling with CTC topology", ICASSP 2019.
        Povey et al., "Purely sequence-trained neural networks for ASR based on lattice-free MMI",
        Interspeech 2016 (a sum of this kind).
    """
    total: Tensor = _Denominator.apply(log_probs, lengths, trigram)  # type: ignore[no-untyped-call]
    return total


class _Denominator(torch.autograd.Function):
    """The sums; their gradient, how probable each token is in each frame, is computed along."""

    @staticmethod
    def forward(ctx: Any, log_probs: Tensor, lengths: Tensor, trigram: Tensor) -> Tensor:  # noqa: ANN401
        from asr.model.crf_lattice import (  # training without it needs no numba
            make_lattice,
            sum_over_sequences,
        )

        totals = log_probs.new_empty(len(log_probs))
        occupancy = torch.zeros_like(log_probs, memory_format=torch.contiguous_format)
        forwards = trigram.numpy()
        backwards = trigram.permute(1, 2, 0).contiguous().numpy()
        for row, n_frames in enumerate(lengths.tolist()):
            emission = log_probs[row, :n_frames].double().exp().contiguous().cpu().numpy()
            filled = np.empty_like(emission)
            lattice = make_lattice(emission, forwards, backwards)
            totals[row] = sum_over_sequences(lattice, filled)
            occupancy[row, :n_frames] = torch.from_numpy(filled)
        ctx.save_for_backward(occupancy)
        return totals

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        (occupancy,) = ctx.saved_tensors
        return occupancy * gradients[0][:, None, None], None, None
