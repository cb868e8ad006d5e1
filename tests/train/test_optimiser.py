import dataclasses

import pytest
import torch

from asr.errors import ConfigError
from asr.train.optimiser import adamw, averaged, learning_rate_at
from tests.conftest import make_config

CONFIG = make_config(
    optimiser__learning_rate=0.1,
    optimiser__warmup_epochs=2.0,
    optimiser__final_fraction=0.01,
    optimiser__weight_decay=0.5,
).optimiser


@pytest.mark.parametrize(
    ("epoch", "expected"), [(0.0, 0.0), (1.0, 0.05), (2.0, 0.1), (6.0, 0.0505), (10.0, 0.001)]
)
def test_the_rate_rises_linearly_then_falls_along_half_a_cosine(
    epoch: float, expected: float
) -> None:
    assert learning_rate_at(epoch, 10, CONFIG) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("epoch", "expected"), [(1.0, 0.05), (2.0, 0.1), (4.0, 0.1), (7.0, 0.0505), (10.0, 0.001)]
)
def test_the_cosine_falls_from_where_the_peak_was_held_to(epoch: float, expected: float) -> None:
    held = dataclasses.replace(CONFIG, hold_epochs=2.0)

    assert learning_rate_at(epoch, 10, held) == pytest.approx(expected)


def test_biases_and_norms_do_not_decay() -> None:
    layer = torch.nn.Linear(2, 2)
    with torch.no_grad():
        layer.weight.fill_(1.0)
        layer.bias.fill_(1.0)
    optimiser = adamw(layer, CONFIG)
    for parameter in layer.parameters():
        parameter.grad = torch.zeros_like(parameter)

    optimiser.step()

    assert torch.all(layer.weight < 1.0)
    assert torch.all(layer.bias == 1.0)


def test_the_average_follows_the_weights_soon_at_first_and_then_slowly() -> None:
    layer = torch.nn.Linear(1, 1, bias=False)
    average = averaged(layer, decay=0.5)
    means = []
    for value in (8.0, 4.0, 0.0, 0.0, *[1.0] * 20):
        torch.nn.init.constant_(layer.weight, value)
        average.update_parameters(layer)
        means.append(average.state_dict()["module.weight"].item())

    # The first is taken as it is; then 2/11, 3/12 and 4/13 of the average are kept, at most half.
    assert means[:4] == pytest.approx([8.0, 52 / 11, 13 / 11, 4 / 11])
    assert 0.99 < means[-1] < 1.0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("learning_rate", 0.0),
        ("max_gradient_norm", 0.0),
        ("warmup_epochs", -1.0),
        ("final_fraction", -0.1),
        ("final_fraction", 1.1),
        ("weight_decay", -0.1),
    ],
)
def test_values_that_cannot_train_are_refused_by_the_key(name: str, value: float) -> None:
    with pytest.raises(ConfigError, match=f"optimiser.{name}"):
        dataclasses.replace(CONFIG, **{name: value})
