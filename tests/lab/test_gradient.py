"""Curves of whole networks, trained or not."""

from itertools import pairwise

import pytest
import torch
from torch import Tensor

from asr.errors import DataError
from asr.lab.curve import Curve
from asr.lab.gradient import gradient_curve, scaled_recurrence
from asr.model.acoustic import AcousticModel
from tests.conftest import make_config

N_FEATURES = 5


def model(cell: str = "rnn", *, bidirectional: bool = True) -> AcousticModel:
    torch.manual_seed(0)
    config = make_config(
        model__subsampling_factor=2,
        model__n_channels=8,
        model__cell=cell,
        model__size=16,
        model__bidirectional=bidirectional,
    )
    return AcousticModel(config.model, n_features=N_FEATURES, heads={"text": 3})


def speech(*n_frames: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(1)
    return [torch.randn(n, N_FEATURES, generator=generator) for n in n_frames]


def measure(network: AcousticModel, features: list[Tensor]) -> Curve:
    return gradient_curve(network, features, 12, 0.02, lambda: None, "text")


def test_a_curve_is_relative_to_the_input_under_the_frame() -> None:
    curve = measure(model(), speech(60, 41))

    assert curve.past[0] == curve.future[0] == 1.0
    assert len(curve.past) == len(curve.future) == 13


def test_a_plain_network_with_small_weights_forgets_by_a_constant_factor() -> None:
    past = measure(model(), speech(200, 200)).past
    steps = [later / earlier for earlier, later in pairwise(past[4:])]

    assert all(0.2 < step < 0.9 for step in steps)
    assert past[12] < 1e-3


def test_larger_recurrent_weights_carry_the_gradient_farther() -> None:
    network, features = model(), speech(60, 41)

    once, twice = (
        measure(scaled_recurrence(network, scale), features).past[10] for scale in (1.0, 2.0)
    )

    assert twice > 50 * once


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_scaling_leaves_the_network_and_its_other_weights_as_they_are(cell: str) -> None:
    network = model(cell)
    before = {name: weight.clone() for name, weight in network.state_dict().items()}

    scaled = scaled_recurrence(network, 2.0).state_dict()

    assert all(torch.equal(weight, before[name]) for name, weight in network.state_dict().items())
    changed = {name for name, weight in scaled.items() if not torch.equal(weight, before[name])}
    assert changed == {"encoder.layers.0.ahead.weight_hh_l0", "encoder.layers.0.back.weight_hh_l0"}


def test_measuring_is_repeatable_and_leaves_the_network_as_it_is() -> None:
    network, features = model("lstm"), speech(60, 41)
    state = torch.get_rng_state()

    assert measure(network, features) == measure(network, features)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(weight.dtype == torch.float32 for weight in network.parameters())
    assert all(weight.requires_grad for weight in network.parameters())


def test_a_curve_ends_where_too_few_frames_have_input() -> None:
    curve = measure(model(), speech(20))  # 10 output frames, differentiated at 1, 3, 6 and 8

    assert len(curve.past) == len(curve.future) == 9


def test_a_network_that_depends_on_nothing_is_refused() -> None:
    network = model()
    with torch.no_grad():
        network.heads["text"].get_parameter("weight").zero_()

    with pytest.raises(DataError, match="depends on none of the input"):
        measure(network, speech(20))


def test_utterances_without_a_frame_are_passed_over() -> None:
    assert measure(model(), speech(60, 0)) == measure(model(), speech(60))
