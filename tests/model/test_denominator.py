import itertools
import math

import numpy as np
import pytest
import torch
from torch import Tensor

from asr.model.denominator import log_denominator


def make_trigram(n_tokens: int) -> Tensor:
    return torch.from_numpy(np.random.default_rng(0).dirichlet(np.ones(n_tokens), (n_tokens,) * 2))


def make_log_probs(*shape: int) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(*shape, generator=generator, dtype=torch.float64).log_softmax(-1)


def collapse(path: tuple[int, ...]) -> list[int]:
    return [token for token, _ in itertools.groupby(path) if token != 0]


def brute_force(log_probs: Tensor, trigram: Tensor) -> Tensor:
    """Sum over all V^T paths: probability by the emission, times that of what they spell."""
    terms = []
    for path in itertools.product(range(log_probs.shape[1]), repeat=len(log_probs)):
        sequence = [0, 0, *collapse(path), 0]
        steps = zip(sequence, sequence[1:], sequence[2:], strict=False)
        spelled = math.prod(float(trigram[step]) for step in steps)
        emitted = torch.stack([log_probs[t, token] for t, token in enumerate(path)]).sum()
        terms.append(emitted + math.log(spelled))
    return torch.stack(terms).logsumexp(0)


@pytest.mark.parametrize("n_frames", [1, 2, 5])
def test_it_sums_over_all_paths_and_so_does_its_gradient(n_frames: int) -> None:
    trigram = make_trigram(3)
    expected_of, got_of = (make_log_probs(n_frames, 3).requires_grad_() for _ in range(2))

    expected = brute_force(expected_of, trigram)
    got = log_denominator(got_of[None], torch.tensor([n_frames]), trigram)
    (expected + got.sum()).backward()

    assert got.item() == pytest.approx(expected.item(), abs=1e-9)
    torch.testing.assert_close(got_of.grad, expected_of.grad)


def test_padding_is_never_read_and_has_no_gradient() -> None:
    log_probs = make_log_probs(2, 6, 4)
    alone = log_denominator(log_probs[:1, :4], torch.tensor([4]), make_trigram(4))
    log_probs[0, 4:] = float("nan")
    padded = log_probs.clone().requires_grad_()

    both = log_denominator(padded, torch.tensor([4, 6]), make_trigram(4))
    both.sum().backward()

    assert both[0] == alone[0]
    assert padded.grad is not None
    assert torch.equal(padded.grad[0, 4:], torch.zeros(2, 4, dtype=torch.float64))


def test_long_speech_stays_in_range_and_every_frame_sums_to_one() -> None:
    log_probs = (20 * make_log_probs(1, 3000, 5)).log_softmax(2).requires_grad_()

    total = log_denominator(log_probs, torch.tensor([3000]), make_trigram(5))
    (gradient,) = torch.autograd.grad(total.sum(), log_probs)

    assert torch.isfinite(total).all()
    everywhere = torch.ones(1, 3000, dtype=torch.float64)
    torch.testing.assert_close(gradient.sum(2), everywhere, atol=1e-5, rtol=0.0)


def test_an_emission_that_is_not_a_number_makes_the_sum_not_a_number() -> None:
    log_probs = make_log_probs(1, 4, 3)
    log_probs[0, 2, 1] = float("nan")

    assert log_denominator(log_probs, torch.tensor([4]), make_trigram(3)).isnan().all()


def test_a_certain_token_has_the_probability_of_the_trigram() -> None:
    log_probs = torch.full((1, 3, 3), -1e9, dtype=torch.float64)
    log_probs[0, [0, 1, 2], [0, 2, 0]] = 0.0
    trigram = make_trigram(3)

    total = log_denominator(log_probs, torch.tensor([3]), trigram)

    assert total.item() == pytest.approx(float((trigram[0, 0, 2] * trigram[0, 2, 0]).log()))
