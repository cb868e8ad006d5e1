"""The CTC loss of each utterance, and whether an utterance has an alignment at all.

On a CPU, `forward_backward` computes it: several times as fast as torch, and in threads at the same
time. On a GPU, torch does.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

from asr.model.forward_backward import forward_backward
from asr.model.known_gradient import with_gradient

BLANK = 0


def ctc_loss(log_probs: Tensor, lengths: Tensor, tokens: Tensor, token_lengths: Tensor) -> Tensor:
    """Compute minus the log-probability of each token sequence, summed over its alignments.

    Args:
        log_probs: (B, T, V) float, natural log, normalised; padding is never read, and its
            gradient is zero.
        lengths: (B,) int64, valid frames.
        tokens: (B, U) int64, blank (0) never among the valid ones; padding is never read.
        token_lengths: (B,) int64, valid tokens; an empty transcript is scored as all blank.

    Returns:
        (B,) float, nats. Infinite where `is_alignable` is false; the gradient there is meaningless
        (zero on a CPU). NaN where an emission is.

    References:
        Graves et al., "Connectionist Temporal Classification", ICML 2006.
    """
    if log_probs.device.type != "cpu":
        return _torch_loss(log_probs, lengths, tokens, token_lengths)
    assert not len(lengths) or int(lengths.max()) <= log_probs.shape[1]
    has_gradient = log_probs.requires_grad and torch.is_grad_enabled()
    emissions = log_probs.detach()
    losses = emissions.new_full((len(emissions),), math.inf)
    occupancy = torch.zeros_like(emissions, memory_format=torch.contiguous_format)
    for row in is_alignable(lengths, tokens, token_lengths).nonzero().flatten().tolist():
        n_frames, n_tokens = int(lengths[row]), int(token_lengths[row])
        losses[row] = _loss(
            emissions[row, :n_frames],
            tokens[row, :n_tokens],
            occupancy[row, : n_frames if has_gradient else 0],
        )
    # The gradient of a log-probability is the occupancy, and a loss is minus a log-probability.
    return -with_gradient(-losses, log_probs, occupancy)


def is_alignable(lengths: Tensor, tokens: Tensor, token_lengths: Tensor) -> Tensor:
    """Tell which utterances have an alignment: a frame per token, and one more between repeats.

    Args:
        lengths: (B,) int64, encoder frames.
        tokens: (B, U) int64.
        token_lengths: (B,) int64.

    Returns:
        (B,) bool. Without frames there is no alignment, not even of an empty transcript.
    """
    repeats = tokens[:, 1:] == tokens[:, :-1]  # (B, U - 1); (B, 0) if no utterance has a token
    position = torch.arange(tokens.shape[1], device=tokens.device)[1:]
    n_repeats = (repeats & (position < token_lengths.unsqueeze(1))).sum(dim=1)
    return (lengths >= token_lengths + n_repeats) & (lengths > 0)


def _torch_loss(
    log_probs: Tensor, lengths: Tensor, tokens: Tensor, token_lengths: Tensor
) -> Tensor:
    by_time = log_probs.transpose(0, 1)  # (T, B, V)
    return functional.ctc_loss(
        by_time, tokens, lengths, token_lengths, blank=BLANK, reduction="none"
    )


def _loss(log_probs: Tensor, tokens: Tensor, occupancy: Tensor) -> float:
    """Compute one loss; fill (T, V) with each token's probability in each frame, unless (0, V)."""
    sequence = tokens.tolist()
    assert max(sequence, default=0) < log_probs.shape[1]
    emission = log_probs.to(torch.float64, memory_format=torch.contiguous_format).exp()
    filled = occupancy.new_empty(occupancy.shape, dtype=torch.float64)
    loss = forward_backward(emission.numpy(), sequence, filled.numpy())
    if math.isnan(loss):
        loss, filled = _loss_in_logarithms(log_probs, tokens)
    occupancy[:] = filled[: len(occupancy)]
    return loss


def _loss_in_logarithms(log_probs: Tensor, tokens: Tensor) -> tuple[float, Tensor]:
    """Compute one loss and its occupancy by torch: slowly, but never out of range."""
    # in inference mode no gradient is taken, and none of a tensor that was made in it: copies are
    with torch.inference_mode(mode=False), torch.enable_grad():
        emission = log_probs.detach().to(torch.float64, copy=True).requires_grad_()
        length, token_length = torch.tensor([len(emission)]), torch.tensor([len(tokens)])
        loss = _torch_loss(emission[None], length, tokens.clone()[None], token_length)
        (gradient,) = torch.autograd.grad(loss.sum(), emission)
    if bool(log_probs.isnan().any()):
        return math.nan, gradient.fill_(math.nan)
    if not math.isfinite(loss.item()):
        return loss.item(), gradient.zero_()
    # torch's gradient is that of the logits: the softmax minus the occupancy
    return loss.item(), emission.detach().exp() - gradient
