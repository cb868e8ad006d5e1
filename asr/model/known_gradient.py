"""Known gradient: values computed outside of torch, with their gradient, join its autograd."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def with_gradient(values: Tensor, log_probs: Tensor, gradient: Tensor) -> Tensor:
    """Return `values` as a function of `log_probs` whose gradient is known.

    Args:
        values: (B,) one of each utterance.
        log_probs: (B, T, V) what they were computed from.
        gradient: (B, T, V) of each utterance's value by its own `log_probs`.

    Returns:
        (B,) the same values.
    """
    joined: Tensor = _Known.apply(log_probs, values, gradient)  # type: ignore[no-untyped-call]
    return joined


class _Known(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, log_probs: Tensor, values: Tensor, gradient: Tensor) -> Tensor:  # noqa: ANN401, ARG004 -- as torch wants it
        ctx.save_for_backward(gradient)
        return values.clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        (gradient,) = ctx.saved_tensors
        return gradient * gradients[0][:, None, None], None, None
