import itertools
import math

import pytest
import torch
from torch import Tensor

from asr.model.ctc import ctc_loss, is_alignable


def collapse(path: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(token for token, _ in itertools.groupby(path) if token != 0)


def brute_force(log_probs: Tensor, tokens: tuple[int, ...]) -> float:
    """Sum the probability of all V^T paths that spell the tokens."""
    n_frames, n_tokens = log_probs.shape
    total = sum(
        math.exp(sum(float(log_probs[t, token]) for t, token in enumerate(path)))
        for path in itertools.product(range(n_tokens), repeat=n_frames)
        if collapse(path) == tokens
    )
    return -math.log(total) if total else math.inf


@pytest.mark.parametrize("tokens", [(), (1,), (1, 2), (1, 1), (2, 1, 2), (1, 1, 1)])
def test_the_loss_sums_over_all_paths(tokens: tuple[int, ...]) -> None:
    log_probs = torch.randn(5, 3, generator=torch.Generator().manual_seed(0)).log_softmax(1)
    padded = torch.tensor([[*tokens, 0, 0]])

    loss = ctc_loss(log_probs[None], torch.tensor([5]), padded, torch.tensor([len(tokens)]))

    assert loss.item() == pytest.approx(brute_force(log_probs, tokens), abs=1e-5)


def test_padding_of_frames_and_tokens_is_never_read() -> None:
    log_probs = torch.randn(1, 6, 4, generator=torch.Generator().manual_seed(0)).log_softmax(2)
    short = ctc_loss(log_probs[:, :4], torch.tensor([4]), torch.tensor([[1, 2]]), torch.tensor([2]))
    log_probs[:, 4:] = float("nan")

    padded = ctc_loss(log_probs, torch.tensor([4]), torch.tensor([[1, 2, 3]]), torch.tensor([2]))

    assert torch.equal(short, padded)


@pytest.mark.parametrize(
    ("n_frames", "tokens", "expected"),
    [
        (0, [], False),
        (1, [], True),
        (2, [1, 2], True),
        (1, [1, 2], False),
        (2, [1, 1], False),
        (3, [1, 1], True),
        (4, [1, 1, 1], False),
        (5, [1, 1, 1], True),
    ],
)
def test_an_alignment_needs_a_frame_a_token_and_one_between_equal_neighbours(
    n_frames: int, tokens: list[int], expected: bool
) -> None:
    padded = torch.tensor([[*tokens, 7, 7]])  # padding repeats, and must not count

    alignable = is_alignable(torch.tensor([n_frames]), padded, torch.tensor([len(tokens)]))

    assert alignable.tolist() == [expected]


def test_the_loss_is_infinite_exactly_where_there_is_no_alignment() -> None:
    log_probs = torch.full((2, 3, 3), -math.log(3))
    tokens, token_lengths = torch.tensor([[1, 1], [1, 1]]), torch.tensor([2, 2])
    lengths = torch.tensor([3, 2])

    losses = ctc_loss(log_probs, lengths, tokens, token_lengths)

    assert torch.isfinite(losses).tolist() == is_alignable(lengths, tokens, token_lengths).tolist()
    assert torch.isfinite(losses).tolist() == [True, False]
