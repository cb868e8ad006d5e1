"""Lengths are whole numbers, alone or as an array or a tensor of them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from asr.lengths import n_frames, n_frames_needed, subsampled_lengths, whole_samples

KINDS: list[Callable[[list[int]], Any]] = [np.array, torch.tensor]


@pytest.mark.parametrize(
    ("length", "stride", "expected"), [(0, 2, 0), (1, 2, 1), (5, 2, 3), (6, 3, 2)]
)
def test_a_strided_layer_has_an_output_for_every_started_stride(
    length: int, stride: int, expected: int
) -> None:
    assert subsampled_lengths(length, stride) == expected


@pytest.mark.parametrize(
    ("n_samples", "expected"), [(0, 0), (1, 0), (399, 0), (400, 1), (559, 1), (560, 2)]
)
def test_only_frames_wholly_inside_the_waveform_count(n_samples: int, expected: int) -> None:
    assert n_frames(n_samples, 400, 160) == expected


@pytest.mark.parametrize("kind", KINDS)
def test_arrays_and_tensors_are_counted_as_whole_numbers_are(
    kind: Callable[[list[int]], Any],
) -> None:
    n_samples = [0, 100, 399, 400, 16000]
    frames = [n_frames(n, 400, 160) for n in n_samples]

    counted = n_frames(kind(n_samples), 400, 160)

    assert type(counted) is type(kind([]))
    assert counted.tolist() == frames
    assert subsampled_lengths(counted, 3).tolist() == [subsampled_lengths(n, 3) for n in frames]


@pytest.mark.parametrize(
    ("tokens", "expected"), [([], 0), ([4], 1), ([4, 4], 3), ([4, 5, 4], 3), ([4, 4, 4], 5)]
)
def test_equal_neighbours_need_a_blank_between_them(tokens: list[int], expected: int) -> None:
    assert n_frames_needed(tokens) == expected


@pytest.mark.parametrize(
    ("seconds", "sample_rate", "expected"),
    [(0.025, 16000, 400), (0.009, 48000, 432), (0.025, 11025, 275), (0.01, 22050, 220)],
)
def test_durations_become_whole_samples(seconds: float, sample_rate: int, expected: int) -> None:
    assert whole_samples(seconds, sample_rate) == expected
