"""The CTC loss, utterance by utterance, and when an utterance has no alignment at all.

On a CPU it is our own `forward_backward`, several times as fast as torch's, and it lets other
threads compute theirs at the same time.
"""

import math
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

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
        (B,) float, nats. Infinite where `is_alignable` is false, and the gradient there is of no
        use: on a CPU zero. NaN where an emission is.

    References:
        Graves et al., "Connectionist Temporal Classification", ICML 2006.
    """
    if log_probs.device.type == "cpu":
        arguments = (log_probs, lengths, tokens, token_lengths)
        losses: Tensor = _CompiledLoss.apply(*arguments)  # type: ignore[no-untyped-call]
        return losses
    return _loss_of_torch(log_probs, lengths, tokens, token_lengths)


def _loss_of_torch(
    log_probs: Tensor, lengths: Tensor, tokens: Tensor, token_lengths: Tensor
) -> Tensor:
    return functional.ctc_loss(
        log_probs.transpose(0, 1),  # (T, B, V)
        tokens,
        lengths,
        token_lengths,
        blank=BLANK,
        reduction="none",
    )


class _CompiledLoss(torch.autograd.Function):
    """The losses; their gradient is computed along with them."""

    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401 -- torch does not tell its type
        log_probs: Tensor,
        lengths: Tensor,
        tokens: Tensor,
        token_lengths: Tensor,
    ) -> Tensor:
        assert not len(lengths) or int(lengths.max()) <= log_probs.shape[1]
        losses = log_probs.new_full((len(log_probs),), math.inf)
        occupancy = torch.zeros_like(log_probs, memory_format=torch.contiguous_format)
        alignable = is_alignable(lengths, tokens, token_lengths)
        for row in alignable.nonzero().flatten().tolist():
            n_frames, n_tokens = int(lengths[row]), int(token_lengths[row])
            losses[row] = _loss(
                log_probs[row, :n_frames],
                tokens[row, :n_tokens],
                occupancy[row, : n_frames if ctx.needs_input_grad[0] else 0],
            )
        ctx.save_for_backward(occupancy)
        return losses

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        (occupancy,) = ctx.saved_tensors
        return occupancy * -gradients[0][:, None, None], None, None, None


def _loss(log_probs: Tensor, tokens: Tensor, occupancy: Tensor) -> float:
    """Compute one loss, and fill how probable each token is in each frame, unless it has none."""
    from asr.model.forward_backward import (
        forward_backward,
        make_lattice,
    )  # inference needs no numba

    sequence = tokens.tolist()
    assert max(sequence, default=0) < log_probs.shape[1]
    emission = log_probs.to(torch.float64, memory_format=torch.contiguous_format).exp()
    filled = occupancy.new_empty(occupancy.shape, dtype=torch.float64)
    loss = forward_backward(make_lattice(emission.numpy(), sequence), filled.numpy())
    if math.isnan(loss):
        loss, filled = _rare_loss(log_probs, tokens)
    occupancy[:] = filled[: len(occupancy)]
    return loss


def _rare_loss(log_probs: Tensor, tokens: Tensor) -> tuple[float, Tensor]:
    """Compute one loss and its occupancy in logarithms, which are slow and have no limits."""
    with torch.enable_grad():
        emission = log_probs.detach().double().requires_grad_()
        lengths = torch.tensor([len(emission)]), torch.tensor([len(tokens)])
        loss = _loss_of_torch(emission[None], lengths[0], tokens[None], lengths[1])
        (gradient,) = torch.autograd.grad(loss.sum(), emission)
    if bool(log_probs.isnan().any()):
        return math.nan, gradient.fill_(math.nan)
    if not math.isfinite(loss.item()):
        return loss.item(), gradient.zero_()
    # torch gives the gradient behind a softmax, which is the occupancy's difference from it
    return loss.item(), emission.detach().exp() - gradient


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
