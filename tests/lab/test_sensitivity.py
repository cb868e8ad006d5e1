"""The gradient by distance, against recurrences whose derivatives can be worked out by hand."""

from functools import partial

import pytest
import torch
from torch import Tensor

from asr.features.padding import pad
from asr.lab.sensitivity import GradientByDistance, Network, evenly_spread, squared_gradients
from asr.lengths import subsampled_lengths
from asr.model.acoustic import AcousticModel
from tests.conftest import make_config

N_FEATURES = 5


def linear_recurrence(decay: float) -> Network:
    """h_t = decay * h_{t-1} + x_t, whose derivative by the input k frames ago is decay^k."""

    def run(features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        state, states = torch.zeros_like(features[:, 0]), []
        for frame in features.unbind(1):
            state = decay * state + frame
            states.append(state)
        return torch.stack(states, dim=1), lengths

    return run


def squares(network: Network, features: Tensor, *frames: int, factor: int = 1) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return squared_gradients(
        network, features, torch.tensor(frames), factor=factor, generator=generator
    )


def model(*, factor: int = 2, bidirectional: bool = True) -> Network:
    torch.manual_seed(0)
    config = make_config(
        model__subsampling_factor=factor,
        model__n_channels=8,
        model__cell="gru",
        model__size=6,
        model__n_layers=2,
        model__bidirectional=bidirectional,
    )
    made = AcousticModel(config.model, n_features=N_FEATURES, heads={"text": 3})
    return partial(made.double().requires_grad_(False), head="text")


def random_features(n_frames: int) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(n_frames, N_FEATURES, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("decay", [0.5, 1.0, 1.25])
def test_a_linear_recurrence_vanishes_or_explodes_by_its_factor_and_ignores_the_future(
    decay: float,
) -> None:
    features = torch.zeros(8, 1, dtype=torch.float64)
    gradient = GradientByDistance(max_distance=4)
    gradient.add(squares(linear_recurrence(decay), features, 4, 6), torch.tensor([4, 6]))

    past = torch.tensor([decay**k for k in (4, 3, 2, 1, 0)], dtype=torch.float64)

    torch.testing.assert_close(gradient.norms()[:5], past)
    assert gradient.norms()[5:8].tolist() == [0.0, 0.0, 0.0]


def test_norms_of_a_hundred_orders_of_magnitude_are_told_apart() -> None:
    features = torch.zeros(41, 1, dtype=torch.float64)

    (row,) = squares(linear_recurrence(1e-3), features, 40)

    torch.testing.assert_close(row[0].sqrt().item(), 1e-120, rtol=1e-10, atol=0.0)


def test_the_expected_square_is_that_of_the_whole_jacobian() -> None:
    network, features, frame = model(), random_features(12), 3

    def asked(one: Tensor) -> Tensor:
        outputs: Tensor = network(*pad([one]))[0][0, frame]
        return outputs

    jacobian = torch.autograd.functional.jacobian(asked, features)  # (V, T, F)
    exact = jacobian.square().sum((0, 2)).view(6, 2).sum(1)

    estimate = squares(network, features, *[frame] * 2000, factor=2).mean(0)

    torch.testing.assert_close(estimate, exact.double(), rtol=0.1, atol=0.0)


def test_the_input_under_an_output_frame_is_that_of_its_stride() -> None:
    def every_second(features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        return 3.0 * features[:, ::2], subsampled_lengths(lengths, 2)

    assert squares(every_second, torch.zeros(5, 1), 1, 2, factor=2).tolist() == [
        [0.0, 9.0, 0.0],
        [0.0, 0.0, 9.0],
    ]


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_a_one_directional_model_has_no_gradient_from_the_future(factor: int) -> None:
    network = model(factor=factor, bidirectional=False)

    (row,) = squares(network, random_features(15 * factor), 7, factor=factor)

    assert bool((row[:8] > 0).all())
    assert row[9:].tolist() == [0.0] * 6  # the convolutions see into the next frame and no farther


def test_utterances_are_averaged_at_the_distances_that_they_have() -> None:
    gradient = GradientByDistance(max_distance=2)
    gradient.add(torch.tensor([[1.0, 4.0, 16.0]]), torch.tensor([1]))
    gradient.add(torch.tensor([[1.0, 2.0]]), torch.tensor([1]))

    assert gradient.norms()[1:4].tolist() == pytest.approx([1.0, 3.0**0.5, 4.0])
    assert gradient.norms(min_count=2)[1:].isnan().tolist() == [False, False, True, True]


def test_frames_are_spread_evenly_and_never_twice() -> None:
    assert evenly_spread(100, 4).tolist() == [12, 37, 62, 87]
    assert evenly_spread(2, 4).tolist() == [0, 1]
    assert evenly_spread(0, 4).tolist() == []
