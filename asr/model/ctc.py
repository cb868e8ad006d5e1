"""The CTC loss, utterance by utterance, and when an utterance has no alignment at all."""

import torch
from torch import Tensor
from torch.nn import functional

BLANK = 0


def ctc_loss(log_probs: Tensor, lengths: Tensor, tokens: Tensor, token_lengths: Tensor) -> Tensor:
    """Compute minus the log-probability of each token sequence, summed over its alignments.

    Args:
        log_probs: (B, T, V) float32, natural log, normalised; padding is never read.
        lengths: (B,) int64, valid frames.
        tokens: (B, U) int64, blank (0) never among the valid ones; padding is never read.
        token_lengths: (B,) int64, valid tokens; an empty transcript is scored as all blank.

    Returns:
        (B,) float32, nats. Infinite where `is_alignable` is false.

    References:
        Graves et al., "Connectionist Temporal Classification", ICML 2006.
    """
    losses = functional.ctc_loss(
        log_probs.transpose(0, 1),  # (T, B, V)
        tokens,
        lengths,
        token_lengths,
        blank=BLANK,
        reduction="none",
    )
    return losses


def is_alignable(lengths: Tensor, tokens: Tensor, token_lengths: Tensor) -> Tensor:
    """Tell which utterances have an alignment: a frame a token, and one between equal neighbours.

    Args:
        lengths: (B,) int64, encoder frames.
        tokens: (B, U) int64.
        token_lengths: (B,) int64.

    Returns:
        (B,) bool.
    """
    repeats = tokens[:, 1:] == tokens[:, :-1]  # (B, U - 1)
    inside = torch.arange(1, tokens.shape[1], device=tokens.device) < token_lengths.unsqueeze(1)
    needed = token_lengths + (repeats & inside).sum(dim=1)
    return (lengths >= needed) & (lengths > 0)
