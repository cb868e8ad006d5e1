from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import Tensor

from asr.model.config import Cell
from asr.model.partner import Partner, partners
from asr.model.recurrent import RecurrentStack
from asr.train.precision import autocast, usable_precision

SIZE = 8
Computed = tuple[Tensor, list[Tensor | None]]  # outputs, and gradients of frames and parameters
LENGTHS = torch.tensor([9, 12]), torch.tensor([7, 3, 5])  # of two shards


def make_stack(cell: Cell = "lstm") -> RecurrentStack:
    torch.manual_seed(0)
    return RecurrentStack(SIZE, cell=cell, n_layers=2, bidirectional=True)


def make_frames() -> list[Tensor]:
    """Make (B, T, D) of both shards, with numbers as padding."""
    torch.manual_seed(1)
    return [torch.randn(len(lengths), int(lengths.max()), SIZE) for lengths in LENGTHS]


def run(
    stack: RecurrentStack, frames: Tensor, lengths: Tensor, partner: Partner | None
) -> Computed:
    """Compute the valid outputs, and the gradient of a fixed function of them."""
    frames = frames.clone().requires_grad_()
    outputs = torch.cat(
        [row[:n] for row, n in zip(stack(frames, lengths, None, partner), lengths, strict=True)]
    )
    slope = torch.linspace(-1, 1, outputs.numel()).view_as(outputs)
    gradient = torch.autograd.grad(
        (outputs * slope).sum(), [frames, *stack.parameters()], allow_unused=True
    )
    return outputs.detach(), list(gradient)


def run_together(
    stack: RecurrentStack, shards: list[Tensor], precision: str = "float32"
) -> list[Computed]:
    def run_one(frames: Tensor, lengths: Tensor, partner: Partner) -> Computed:
        with autocast("cpu", precision):
            return run(stack, frames, lengths, partner)

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(run_one, shards, LENGTHS, partners()))


def total(one: Tensor | None, other: Tensor | None) -> Tensor:
    """Add two gradients of which one may be missing."""
    present = [gradient for gradient in (one, other) if gradient is not None]
    return torch.stack(present).sum(dim=0)


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_partners_compute_together_what_each_would_alone(cell: Cell) -> None:
    stack, shards = make_stack(cell).double(), [frames.double() for frames in make_frames()]
    alone = [run(stack, *given, None) for given in zip(shards, LENGTHS, strict=True)]

    together = run_together(stack, shards)

    for (got, gradients), (expected, expected_gradients) in zip(together, alone, strict=True):
        torch.testing.assert_close(got, expected)
        torch.testing.assert_close(gradients[0], expected_gradients[0])  # of the frames
    for got_parts, expected_parts in zip(
        zip(*(gradients[1:] for _, gradients in together), strict=True),
        zip(*(gradients[1:] for _, gradients in alone), strict=True),
        strict=True,
    ):
        torch.testing.assert_close(total(*got_parts), total(*expected_parts))


def test_each_direction_is_computed_by_one_partner_only() -> None:
    stack = make_stack()

    (_, ahead), (_, back) = run_together(stack, make_frames())

    names = [name for name, _ in stack.named_parameters()]
    assert {name for name, g in zip(names, ahead[1:], strict=True) if g is None} == {
        name for name in names if ".back." in name
    }
    assert {name for name, g in zip(names, back[1:], strict=True) if g is None} == {
        name for name in names if ".ahead." in name
    }


def test_partners_compute_the_same_bits_every_time() -> None:
    stack, shards = make_stack(), make_frames()

    first, second = run_together(stack, shards), run_together(stack, shards)

    for (one, one_gradients), (other, other_gradients) in zip(first, second, strict=True):
        assert torch.equal(one, other)
        for a, b in zip(one_gradients, other_gradients, strict=True):
            assert (a is None) == (b is None)
            assert a is None or b is None or torch.equal(a, b)


def test_an_error_of_one_partner_is_raised_in_the_other() -> None:
    one, other = partners()

    one.leave(ValueError("no memory"))

    with pytest.raises(ValueError, match="no memory"):
        other.swap(torch.zeros(1))


@pytest.mark.skipif(
    usable_precision("bfloat16", torch.device("cpu")) != "bfloat16",
    reason="this processor has no LSTM in bfloat16",
)
def test_in_bfloat16_partners_are_as_close_to_float32_as_each_alone() -> None:
    stack, shards = make_stack(), make_frames()
    exact = run_together(stack, shards)

    with autocast("cpu", "bfloat16"):
        alone = [run(stack, *given, None) for given in zip(shards, LENGTHS, strict=True)]
    together = run_together(stack, shards, "bfloat16")

    def error(computed: list[Computed]) -> float:
        pairs = zip(computed, exact, strict=True)
        return sum(float((got - expected).norm()) for (got, _), (expected, _) in pairs)

    assert 0.0 < error(together) < 1.2 * error(alone)
