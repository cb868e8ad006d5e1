import math

import pytest
import torch

from asr.train.objective import Objective, uniform_loss


def test_a_uniform_output_costs_log_v_a_token_and_any_other_more() -> None:
    logits = torch.zeros(2, 4, 5)
    logits[1] = torch.randn(4, 5, generator=torch.Generator().manual_seed(0))

    losses = uniform_loss(logits.log_softmax(2), torch.tensor([4, 4]), torch.tensor([3, 3]))

    assert float(losses[0]) == pytest.approx(3 * math.log(5))
    assert losses[1] > losses[0]


def test_the_mean_is_over_the_valid_frames() -> None:
    log_probs = torch.tensor([[0.9, 0.1], [0.5, 0.5], [0.2, 0.8]]).log().unsqueeze(0)
    padded = torch.cat([log_probs, torch.full((1, 2, 2), float("nan"))], dim=1)

    (loss,) = uniform_loss(padded, torch.tensor([3]), torch.tensor([2]))

    by_hand = [-(math.log(p) + math.log(1 - p)) / 2 for p in (0.9, 0.5, 0.2)]
    assert float(loss) == pytest.approx(2 * sum(by_hand) / 3)


def test_shares_weigh_the_losses() -> None:
    objective = Objective(phone_weight=0.4, label_smoothing=0.0)

    mixed = objective.mix({"text": torch.tensor(10.0), "phones": torch.tensor(20.0)})

    assert float(mixed) == pytest.approx(0.6 * 10.0 + 0.4 * 20.0)
