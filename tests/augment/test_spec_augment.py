"""Masks: where they may lie, how many there are, and that chance is the caller's."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from asr.augment.config import AugmentConfig
from asr.augment.spec_augment import spec_augment
from asr.config import Config, read_tree

FRAME_SHIFT = 0.01
NOTHING = read_tree(Config, Path(__file__).parents[2] / "conf" / "tiny.toml").augment
BANDS = replace(NOTHING, n_frequency_masks=1, max_frequency_bins=10)
STRETCHES = replace(NOTHING, time_masks_per_second=1.0, max_time_seconds=0.4, max_time_fraction=0.2)


def _masked(config: AugmentConfig, lengths: Tensor, seed: int = 1) -> Tensor:
    """Mask a batch of ones, (B, T, 40); return True where it was masked."""
    features = torch.ones(len(lengths), int(lengths.max()), 40)
    generator = torch.Generator().manual_seed(seed)
    return spec_augment(features, lengths, config, FRAME_SHIFT, generator) == 0.0


def test_nothing_asked_nothing_masked() -> None:
    assert not _masked(NOTHING, torch.tensor([100, 50])).any()


def test_the_input_is_left_as_it_was() -> None:
    features = torch.ones(1, 500, 40)
    spec_augment(features, torch.tensor([500]), STRETCHES, FRAME_SHIFT, torch.Generator())
    assert (features == 1.0).all()


def test_the_generators_state_alone_decides() -> None:
    lengths = torch.tensor([500, 300])
    assert torch.equal(_masked(STRETCHES, lengths, seed=3), _masked(STRETCHES, lengths, seed=3))
    assert not torch.equal(_masked(STRETCHES, lengths, seed=3), _masked(STRETCHES, lengths, seed=4))


def test_a_band_spans_the_whole_utterance_and_is_no_wider_than_asked() -> None:
    widths = set()
    for masked in _masked(BANDS, torch.full((500,), 20)):
        assert (masked == masked[0]).all()
        assert _n_runs(masked[0]) <= 1
        widths.add(int(masked[0].sum()))
    assert widths == set(range(11))


def test_every_bin_and_every_frame_can_be_masked() -> None:
    assert _masked(BANDS, torch.full((500,), 20)).any(0).any(0).all()
    assert _masked(STRETCHES, torch.full((500,), 100)).any(0).any(1).all()


def test_stretches_span_all_bins_and_stay_within_the_utterance() -> None:
    lengths = torch.tensor([1000, 50, 1, 0] * 50)
    masked = _masked(STRETCHES, lengths)
    assert (masked == masked[:, :, :1]).all()
    assert not (masked[:, :, 0] & (torch.arange(1000) >= lengths.unsqueeze(1))).any()


def test_a_stretch_is_bounded_in_seconds_and_as_a_fraction() -> None:
    one_a_second = _masked(STRETCHES, torch.full((500,), 100))[:, :, 0]
    assert one_a_second.sum(1).max() == 20  # a fifth of a second, less than 0.4 s
    one_in_ten = replace(STRETCHES, time_masks_per_second=0.1)
    assert _masked(one_in_ten, torch.full((500,), 1000))[:, :, 0].sum(1).max() == 40  # 0.4 s


def test_the_number_of_stretches_is_right_on_average_for_short_speech_too() -> None:
    masked = _masked(STRETCHES, torch.full((4000,), 50))[:, :, 0]  # half a stretch on average
    mean_width = 5.0  # of 0..10 frames
    assert masked.float().sum(1).mean().item() == pytest.approx(0.5 * mean_width, rel=0.1)


def test_longer_companions_do_not_change_how_much_is_masked() -> None:
    alone = _masked(STRETCHES, torch.full((2000,), 100))
    together = _masked(STRETCHES, torch.tensor([100] * 2000 + [900]))[:2000, :100]
    expected = pytest.approx(alone.float().mean().item(), rel=0.1)
    assert together.float().mean().item() == expected


def test_padding_is_left_as_it_came() -> None:
    features = torch.full((1, 100, 40), torch.nan)
    config, lengths = STRETCHES, torch.tensor([30])
    masked = spec_augment(features, lengths, config, FRAME_SHIFT, torch.Generator())
    assert masked[0, 30:].isnan().all()


def test_an_empty_batch_stays_empty() -> None:
    empty, lengths = torch.zeros(0, 10, 40), torch.zeros(0, dtype=torch.int64)
    masked = spec_augment(empty, lengths, STRETCHES, FRAME_SHIFT, torch.Generator())
    assert masked.shape == (0, 10, 40)


def _n_runs(row: Tensor) -> int:
    """Count the runs of True."""
    return int((row.int().diff(prepend=torch.zeros(1, dtype=torch.int32)) == 1).sum())
