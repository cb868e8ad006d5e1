import dataclasses
import math

import pytest
import torch

from asr.config import Config
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
    objective = Objective(0.4, 0.0, 0.3, 0.0, n_layers=2)

    text, middle, phones = (torch.tensor(nats) for nats in (10.0, 30.0, 20.0))
    mixed = objective.mix({"text": text, "middle": middle, "phones": phones})

    assert float(mixed) == pytest.approx(0.6 * (0.7 * 10.0 + 0.3 * 30.0) + 0.4 * 20.0)


@pytest.mark.parametrize(("n_layers", "middle"), [(2, 1), (3, 1), (4, 2), (5, 2)])
def test_the_middle_is_the_lower_half(n_layers: int, middle: int) -> None:
    without, with_middle = (Objective(0.0, 0.0, weight, 0.0, n_layers) for weight in (0.0, 0.5))

    assert without.depths(n_layers) == [n_layers]
    assert with_middle.depths(n_layers) == [middle, n_layers]


def test_the_middle_is_silent_until_a_layer_above_it_has_joined() -> None:
    depths = [Objective(0.0, 0.0, 0.5, 0.0, joined).depths(4) for joined in (1, 2, 3, 4)]

    assert depths == [[1], [2], [2, 3], [2, 4]]


@pytest.mark.parametrize(
    ("grow_epochs", "joined"),
    [(0, [3] * 7), (1, [1, 2, 3, 3, 3, 3, 3]), (2, [1, 1, 2, 2, 3, 3, 3])],
)
def test_a_further_layer_joins_every_few_epochs(
    small_config: Config, grow_epochs: int, joined: list[int]
) -> None:
    train = dataclasses.replace(small_config.train, grow_epochs=grow_epochs)

    assert [train.objective(epoch, 3).n_layers for epoch in range(7)] == joined
    assert train.whole_from(3) == joined.index(3)
