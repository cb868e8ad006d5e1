"""Windows, against the network run by hand on each frame's stretch of the features."""

from functools import partial

import pytest
import torch
from torch import Tensor

from asr.features.padding import pad
from asr.lab.context import windowed_outputs
from asr.lab.sensitivity import Network
from asr.model.acoustic import AcousticModel
from tests.conftest import make_config

N_FEATURES = 5


def model(factor: int = 4) -> Network:
    torch.manual_seed(0)
    config = make_config(
        model__subsampling_factor=factor,
        model__n_channels=2,
        model__size=6,
        model__dropout=0.0,
    )
    network = AcousticModel(config.model, n_features=N_FEATURES, heads={"text": 3})
    return partial(network.requires_grad_(False), head="text")


def random_features(n_frames: int) -> Tensor:
    return torch.randn(n_frames, N_FEATURES, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("factor", [2, 3, 4])
@pytest.mark.parametrize("context", [0, 1, 2])
def test_each_frame_is_the_networks_output_for_its_window_alone(factor: int, context: int) -> None:
    network, features = model(factor), random_features(23)  # the last output frame is not whole

    outputs = windowed_outputs(network, features, context=context, factor=factor)

    n_frames = -(-23 // factor)
    assert len(outputs) == n_frames
    for frame in range(n_frames):
        start, stop = max(0, frame - context), frame + context + 1
        alone, _ = network(*pad([features[factor * start : factor * stop]]))
        torch.testing.assert_close(outputs[frame], alone[0, frame - start], atol=1e-6, rtol=0.0)


@pytest.mark.parametrize("context", [None, 6, 99])
def test_a_context_as_long_as_the_utterance_changes_nothing(context: int | None) -> None:
    network, features = model(), random_features(23)

    outputs = windowed_outputs(network, features, context=context, factor=4)

    assert torch.equal(outputs, network(*pad([features]))[0][0])


def test_what_lies_outside_of_a_window_is_never_read() -> None:
    network, features = model(), random_features(40)
    changed = features.clone()
    changed[:12], changed[24:] = torch.nan, torch.nan  # output frame 4 reads input 12 to 23

    before, after = (
        windowed_outputs(network, some, context=1, factor=4) for some in (features, changed)
    )

    assert torch.equal(before[4], after[4])


def test_an_utterance_without_frames_gives_none() -> None:
    outputs = windowed_outputs(model(), torch.zeros(0, N_FEATURES), context=1, factor=4)

    assert outputs.shape == (0, 3)


def test_cutting_the_windows_into_batches_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    network, features = model(), random_features(40)
    together = windowed_outputs(network, features, context=2, factor=4)
    monkeypatch.setattr("asr.lab.context.MAX_FRAMES", 1)

    one_by_one = windowed_outputs(network, features, context=2, factor=4)

    torch.testing.assert_close(one_by_one, together, atol=1e-6, rtol=0.0)
