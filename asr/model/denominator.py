"""The denominator of CTC-CRF: the sum over all token sequences that could have been spoken.

CTC makes the given tokens probable, each frame for itself. Here whole token sequences compete: the
probability of each is that by CTC, times that by a trigram over tokens. So a network need not learn
from a few hours of speech which tokens follow which, and learns instead to tell apart what a search
with a language model would confuse.
"""

import numpy as np
import torch
from torch import Tensor

from asr.model.crf_lattice import make_lattice, sum_over_sequences
from asr.model.known_gradient import with_gradient


def log_denominator(log_probs: Tensor, lengths: Tensor, trigram: Tensor) -> Tensor:
    """Sum, over all token sequences, the probability by CTC times that by a trigram.

    The CTC loss of a sequence, plus this, minus the log-probability of the sequence by the trigram,
    is minus its log-probability among all sequences. It is computed on the CPU, whatever the device
    of `log_probs`.

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
    totals = log_probs.new_empty(len(log_probs))
    occupancy = torch.zeros_like(log_probs, memory_format=torch.contiguous_format)
    forwards = trigram.numpy()
    backwards = trigram.permute(1, 2, 0).contiguous().numpy()
    for row, n_frames in enumerate(lengths.tolist()):
        emission = log_probs[row, :n_frames].detach().double().exp().contiguous().cpu().numpy()
        filled = np.empty_like(emission)
        totals[row] = sum_over_sequences(make_lattice(emission, forwards, backwards), filled)
        occupancy[row, :n_frames] = torch.from_numpy(filled)
    return with_gradient(totals, log_probs, occupancy)
