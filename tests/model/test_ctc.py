import itertools
import math
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import Tensor
from torch.nn import functional

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
def test_an_alignment_needs_a_frame_per_token_and_one_between_repeats(
    n_frames: int, tokens: list[int], expected: bool
) -> None:
    padded = torch.tensor([[*tokens, 7, 7]])  # padding repeats, and must not count

    alignable = is_alignable(torch.tensor([n_frames]), padded, torch.tensor([len(tokens)]))

    assert alignable.tolist() == [expected]


def test_a_batch_without_tokens_is_all_blank() -> None:
    """As a batch is whose texts all normalise to nothing; it once ended training in a traceback."""
    log_probs = torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(0)).log_softmax(2)
    lengths, tokens = torch.tensor([3, 0]), torch.zeros(2, 0, dtype=torch.int64)
    token_lengths = torch.tensor([0, 0])

    alignable = is_alignable(lengths, tokens, token_lengths)
    losses = ctc_loss(log_probs, lengths, tokens, token_lengths)

    assert alignable.tolist() == [True, False]
    assert losses.tolist() == [pytest.approx(-float(log_probs[0, :, 0].sum())), math.inf]


def test_the_loss_is_infinite_exactly_where_there_is_no_alignment() -> None:
    log_probs = torch.full((2, 3, 3), -math.log(3))
    tokens, token_lengths = torch.tensor([[1, 1], [1, 1]]), torch.tensor([2, 2])
    lengths = torch.tensor([3, 2])

    losses = ctc_loss(log_probs, lengths, tokens, token_lengths)

    assert torch.isfinite(losses).tolist() == is_alignable(lengths, tokens, token_lengths).tolist()
    assert torch.isfinite(losses).tolist() == [True, False]


Batch = tuple[Tensor, Tensor, Tensor, Tensor]


def draw(
    seed: int, n_frames: int, n_types: int, n_tokens: int, *, peak: float, blank: float
) -> Batch:
    """Draw three utterances, the first of which takes all frames and all tokens."""
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(3, n_frames, n_types, generator=generator) * peak
    logits[..., 0] += blank
    tokens = torch.randint(1, n_types, (3, n_tokens), generator=generator)
    lengths = torch.tensor([n_frames, n_frames - 1, max(1, n_frames // 2)])
    token_lengths = torch.tensor([n_tokens, n_tokens // 2, n_tokens // 5])
    return logits.log_softmax(2), lengths, tokens, token_lengths


def loss_and_gradient(batch: Batch) -> tuple[Tensor, Tensor]:
    """Compute the losses, and the gradient of the finite ones."""
    log_probs, *rest = batch
    log_probs = log_probs.clone().requires_grad_()
    losses = ctc_loss(log_probs, *rest)
    (gradient,) = torch.autograd.grad(losses[losses.isfinite()].sum(), log_probs)
    return losses.detach(), gradient


def by_torch(batch: Batch) -> tuple[Tensor, Tensor]:
    """Compute the same in double precision, in torch's way, which subtracts the probabilities."""
    log_probs, lengths, tokens, token_lengths = batch
    log_probs = log_probs.double().requires_grad_()
    losses = functional.ctc_loss(
        log_probs.transpose(0, 1), tokens, lengths, token_lengths, reduction="none"
    )
    (gradient,) = torch.autograd.grad(losses[losses.isfinite()].sum(), log_probs)
    is_read = torch.arange(log_probs.shape[1]) < lengths[:, None]
    is_read &= losses.isfinite()[:, None]
    return losses.detach(), gradient - log_probs.detach().exp() * is_read[:, :, None]


@pytest.mark.parametrize(
    ("n_frames", "n_types", "n_tokens"), [(7, 3, 4), (30, 5, 12), (300, 32, 180), (1500, 32, 700)]
)
@pytest.mark.parametrize(
    ("peak", "blank"), [(0.0, 0.0), (1.0, 0.0), (1.0, 6.0), (10.0, 0.0), (40.0, 0.0), (1.0, 60.0)]
)
def test_loss_and_gradient_are_those_of_torch_in_double_precision(
    n_frames: int, n_types: int, n_tokens: int, peak: float, blank: float
) -> None:
    for seed in range(20 if n_frames < 100 else 1):
        batch = draw(seed, n_frames, n_types, n_tokens, peak=peak, blank=blank)

        losses, gradient = loss_and_gradient(batch)

        expected_losses, expected_gradient = by_torch(batch)
        torch.testing.assert_close(losses.double(), expected_losses, rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(gradient.double(), expected_gradient, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("peak", [1.0, 40.0])  # with 40, probabilities are out of range
def test_validation_needs_no_gradient(peak: float) -> None:
    with torch.inference_mode():
        losses = ctc_loss(*draw(0, 300, 32, 180, peak=peak, blank=0.0))

    expected, _ = by_torch(draw(0, 300, 32, 180, peak=peak, blank=0.0))
    torch.testing.assert_close(losses.clone().double(), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("n_tokens", [1, 2, 5, 90])
def test_just_enough_frames_leave_one_alignment(n_tokens: int) -> None:
    for seed in range(10):
        generator = torch.Generator().manual_seed(seed)
        tokens = torch.randint(1, 4, (1, n_tokens), generator=generator)
        alignment = [int(tokens[0, 0])]
        for before, token in itertools.pairwise(tokens[0].tolist()):
            alignment += [0, token] if before == token else [token]
        n_frames = len(alignment)
        log_probs = torch.randn(1, n_frames, 4, generator=generator).log_softmax(2).requires_grad_()

        loss = ctc_loss(log_probs, torch.tensor([n_frames]), tokens, torch.tensor([n_tokens]))
        (gradient,) = torch.autograd.grad(loss.sum(), log_probs)

        path = functional.one_hot(torch.tensor([alignment]), 4)
        torch.testing.assert_close(loss, -(log_probs * path).sum().reshape(1))
        torch.testing.assert_close(gradient, -path.float())


@pytest.mark.parametrize("tokens", [(), (1,), (1, 1), (2, 1, 1)])
def test_the_gradient_is_that_of_finite_differences(tokens: tuple[int, ...]) -> None:
    generator = torch.Generator().manual_seed(0)
    log_probs = torch.randn(1, 6, 3, generator=generator, dtype=torch.float64).log_softmax(2)
    rest = torch.tensor([5]), torch.tensor([[*tokens, 2]]), torch.tensor([len(tokens)])

    assert torch.autograd.gradcheck(
        lambda values: ctc_loss(values, *rest), log_probs.requires_grad_()
    )


@pytest.mark.parametrize("blank", [0.0, 60.0])
def test_an_utterance_alone_has_the_bits_that_it_has_in_a_batch(blank: float) -> None:
    batch = draw(0, 61, 7, 30, peak=1.0, blank=blank)
    losses, gradient = loss_and_gradient(batch)

    for row, (n_frames, n_tokens) in enumerate(zip(batch[1], batch[3], strict=True)):
        log_probs, lengths, tokens, token_lengths = (part[row : row + 1] for part in batch)
        alone = (log_probs[:, :n_frames], lengths, tokens[:, :n_tokens], token_lengths)
        loss, own_gradient = loss_and_gradient(alone)
        assert torch.equal(loss, losses[row : row + 1])
        assert torch.equal(own_gradient[0], gradient[row, :n_frames])


def test_threads_at_the_same_time_do_not_disturb_each_other() -> None:
    batches = [draw(seed, 200, 20, 80, peak=1.0, blank=0.0) for seed in range(8)]
    expected = [loss_and_gradient(batch) for batch in batches]

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(loss_and_gradient, batches))

    for (loss, gradient), (expected_loss, expected_gradient) in zip(results, expected, strict=True):
        assert torch.equal(loss, expected_loss)
        assert torch.equal(gradient, expected_gradient)


def test_padding_and_utterances_without_an_alignment_have_a_gradient_of_zero() -> None:
    log_probs = torch.full((3, 4, 3), -math.log(3))
    log_probs[0, 3:] = log_probs[2] = math.nan
    log_probs.requires_grad_()
    tokens, token_lengths = torch.tensor([[1, 1]] * 3), torch.tensor([2, 2, 0])

    losses = ctc_loss(log_probs, torch.tensor([3, 2, 0]), tokens, token_lengths)
    (gradient,) = torch.autograd.grad(losses.sum(), log_probs)

    assert losses.isfinite().tolist() == [True, False, False]
    assert gradient[0, :3].count_nonzero() == 3
    assert not gradient[0, 3:].any()
    assert not gradient[1:].any()


@pytest.mark.parametrize("n_tokens", [0, 1, 9])
@pytest.mark.parametrize("frame", [0, 7, 19])
def test_a_frame_that_is_not_a_number_makes_the_loss_not_a_number(
    frame: int, n_tokens: int
) -> None:
    log_probs = torch.zeros(2, 20, 5).log_softmax(2)
    log_probs[0, frame] = math.nan

    losses = ctc_loss(
        log_probs.requires_grad_(),
        torch.tensor([20, 20]),
        torch.arange(18).reshape(2, 9) % 4 + 1,
        torch.tensor([n_tokens, n_tokens]),
    )

    assert losses.isnan().tolist() == [True, False]


@pytest.mark.parametrize("value", [math.inf, -math.inf, 1e30, -1e30])
def test_infinite_emissions_end_in_a_loss_that_training_refuses_or_in_a_finite_one(
    value: float,
) -> None:
    log_probs = torch.zeros(1, 20, 5).log_softmax(2)
    log_probs[0, 4:8] = value

    loss = ctc_loss(
        log_probs.requires_grad_(),
        torch.tensor([20]),
        torch.tensor([[1, 2, 2, 3]]),
        torch.tensor([4]),
    )

    assert bool(loss.isfinite()) == math.isfinite(value)


def test_tokens_that_are_impossible_in_some_frames_leave_the_other_alignments() -> None:
    batch = draw(0, 40, 5, 6, peak=1.0, blank=0.0)
    batch[0][:, 3::4, 1:] = -1e4
    expected_values = by_torch(batch)  # which makes NaN of infinite ones
    batch[0][:, 3::4, 1:] = -math.inf

    for value, expected in zip(loss_and_gradient(batch), expected_values, strict=True):
        torch.testing.assert_close(value.double(), expected, rtol=1e-5, atol=1e-6)


def test_only_the_loss_loads_numba() -> None:
    code = "import sys, asr.train.step, asr.model.ctc; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
