"""Slopes over time, against hand-computed cases and a slow reference."""

import pytest
import torch
from torch import Tensor

from asr.features.deltas import add_deltas
from tests.conftest import pad_with_nan


def _frames(n_frames: int, n_features: int = 3) -> Tensor:
    return torch.randn(n_frames, n_features, generator=torch.Generator().manual_seed(n_frames))


def test_the_slope_of_a_ramp_is_its_rise_per_frame_away_from_the_edges() -> None:
    ramp = (2.0 * torch.arange(10.0)).view(1, 10, 1)
    slopes = add_deltas(ramp, torch.tensor([10]), order=2)[0]
    torch.testing.assert_close(slopes[2:-2, 1], torch.full((6,), 2.0))
    torch.testing.assert_close(slopes[4:-4, 2], torch.zeros(2), atol=1e-6, rtol=0)


def test_edges_are_computed_as_by_hand() -> None:
    features = torch.tensor([3.0, 1.0, 4.0, 1.0, 5.0]).view(1, 5, 1)
    slopes = add_deltas(features, torch.tensor([5]), order=1)[0, :, 1]
    torch.testing.assert_close(slopes, torch.tensor([0.0, -0.3, 0.4, 0.9, 0.6]))


@pytest.mark.parametrize("n_frames", [1, 2, 9])
def test_orders_follow_the_definition(n_frames: int) -> None:
    features = _frames(n_frames)
    result = add_deltas(features.unsqueeze(0), torch.tensor([n_frames]), order=2)[0]
    first = [-0.2, -0.1, 0.0, 0.1, 0.2]
    second = [0.04, 0.04, 0.01, -0.04, -0.1, -0.04, 0.01, 0.04, 0.04]
    expected = torch.cat([features, _slow(features, first), _slow(features, second)], 1)
    torch.testing.assert_close(result, expected, atol=1e-6, rtol=1e-5)


def test_each_utterance_alone_is_itself_in_the_batch_whatever_the_padding_holds() -> None:
    utterances = [_frames(n) for n in (5, 0, 1, 12)]
    batch, lengths = pad_with_nan(utterances)
    result = add_deltas(batch, lengths, order=2)
    for i, utterance in enumerate(utterances):
        alone = add_deltas(utterance.unsqueeze(0), lengths[i : i + 1], order=2)
        torch.testing.assert_close(result[i, : len(utterance)], alone[0])
        assert (result[i, len(utterance) :] == 0.0).all()


def test_order_0_changes_nothing() -> None:
    features = _frames(4).unsqueeze(0)
    assert torch.equal(add_deltas(features, torch.tensor([4]), order=0), features)


def _slow(features: Tensor, kernel: list[float]) -> Tensor:
    """Weigh the neighbours of each frame; the first and last frame go on beyond the ends."""
    reach, last = len(kernel) // 2, len(features) - 1
    rows = [
        sum((w * features[min(max(t + k - reach, 0), last)] for k, w in enumerate(kernel)))
        for t in range(len(features))
    ]
    return torch.stack([torch.as_tensor(row) for row in rows])
