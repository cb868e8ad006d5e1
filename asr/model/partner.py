"""Partner: two shards of a batch, in a thread each, compute a bidirectional layer together.

At every frame the weights of a layer and their gradient pass through the processor's cache, for few
utterances as for many: on a CPU in bfloat16, 30 take a quarter longer than 15. So each of the two
reads one direction for the utterances of both, not both directions for its own.
"""

from queue import SimpleQueue
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

_Mail: TypeAlias = SimpleQueue[Tensor | BaseException]


class Partner:
    """The other shard, which is called with the same layers in the same order.

    It must be in another thread, and compute on a CPU: elsewhere, one thread of torch's runs the
    backward pass of both and would wait for itself.
    """

    def __init__(self, inbox: _Mail, outbox: _Mail, *, is_ahead: bool) -> None:
        self._inbox, self._outbox, self._is_ahead = inbox, outbox, is_ahead

    def states(
        self, ahead: nn.RNNBase, back: nn.RNNBase, frames: Tensor, reversed_frames: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Compute the states of both directions, (B, T, D) each, one here and one at the partner.

        The partner's weights get no gradient here, and ours none there.
        """
        cell = ahead if self._is_ahead else back
        ours, theirs = self._in_order(frames, reversed_frames)
        states: tuple[Tensor, Tensor] = _Shared.apply(  # type: ignore[no-untyped-call]
            self, cell, ours, theirs, *cell.parameters()
        )
        return self._in_order(*states)

    def swap(self, tensor: Tensor) -> Tensor:
        """Give the partner a tensor for the one that it gives in the same place."""
        self._outbox.put(tensor)
        received = self._inbox.get()
        if isinstance(received, Tensor):
            return received
        raise received

    def leave(self, error: BaseException) -> None:
        """Raise an error in the partner too, which would otherwise wait forever."""
        self._outbox.put(error)

    def _in_order(self, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
        """Turn ahead and back into ours and theirs, or the other way round."""
        return (first, second) if self._is_ahead else (second, first)


def partners() -> tuple[Partner, Partner]:
    """Make two that are each other's partner."""
    one, other = _Mail(), _Mail()
    return Partner(one, other, is_ahead=True), Partner(other, one, is_ahead=False)


class _Shared(torch.autograd.Function):
    """Our direction for the utterances of both; the partner's direction for ours comes from it."""

    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401 -- as torch wants it
        partner: Partner,
        cell: nn.RNNBase,
        ours: Tensor,
        theirs: Tensor,
        *parameters: Tensor,
    ) -> tuple[Tensor, Tensor]:
        guests = partner.swap(theirs)
        dtype = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else ours.dtype
        joint = _join(ours, guests, dtype).requires_grad_()
        with torch.enable_grad():
            states = cell(joint)[0]
        ctx.partner, ctx.shape, ctx.guest_shape = partner, ours.shape, guests.shape
        ctx.graph = states, (joint, *parameters)
        own, given = _part(states.detach(), ours.shape, guests.shape)
        return own, partner.swap(given)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, ours: Tensor, theirs: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        states, sources = ctx.graph
        gradient = _join(ours, ctx.partner.swap(theirs), states.dtype)
        joint, *others = torch.autograd.grad(states, sources, gradient)
        own, given = _part(joint, ctx.shape, ctx.guest_shape)
        return None, None, own, ctx.partner.swap(given), *others


def _join(ours: Tensor, guests: Tensor, dtype: torch.dtype) -> Tensor:
    """Make one batch, (B + B', T, D), of both; time comes first in memory, as for torch's cells."""
    n_frames = max(ours.shape[1], guests.shape[1])
    n_utterances, size = len(ours) + len(guests), ours.shape[2]
    joint = ours.new_zeros(n_frames, n_utterances, size, dtype=dtype).transpose(0, 1)
    own, other = _part(joint, ours.shape, guests.shape)
    own.copy_(ours)
    other.copy_(guests)
    return joint


def _part(joint: Tensor, shape: torch.Size, guest_shape: torch.Size) -> tuple[Tensor, Tensor]:
    """Divide what `_join` made, without its padding."""
    return joint[: shape[0], : shape[1]], joint[shape[0] :, : guest_shape[1]]
