"""Normalisation over a corpus and over an utterance; padding never enters a statistic."""

import pytest
import torch
from torch import Tensor

from asr.errors import DataError
from asr.features.cmvn import corpus_statistics, normalise, utterance_statistics
from tests.conftest import pad_with_nan


@pytest.fixture
def utterances() -> list[Tensor]:
    """Four utterances of 2 features whose levels and spreads differ, one of them empty."""
    generator = torch.Generator().manual_seed(1)
    return [
        (i + 1) * torch.randn(n, 2, generator=generator) + 10 * i
        for i, n in enumerate((7, 0, 3, 20))
    ]


def test_statistics_of_a_corpus_are_those_of_all_frames_together(
    utterances: list[Tensor],
) -> None:
    statistics, frames = corpus_statistics(iter(utterances)), torch.cat(utterances)
    torch.testing.assert_close(statistics.mean, frames.mean(0))
    torch.testing.assert_close(statistics.std, frames.std(0, correction=0))


def test_statistics_of_nothing_are_refused() -> None:
    for utterances in ([], [torch.zeros(0, 2)]):
        with pytest.raises(DataError, match="at least one frame"):
            corpus_statistics(utterances)


def test_statistics_of_a_large_constant_do_not_cancel_to_nan() -> None:
    statistics = corpus_statistics([torch.full((1000, 1), 1e4 + 0.1)])
    assert statistics.std.item() == pytest.approx(0.0, abs=1e-3)


def test_utterances_are_normalised_each_by_itself(utterances: list[Tensor]) -> None:
    batch, lengths = pad_with_nan(utterances)
    normalised = normalise(batch, lengths, utterance_statistics(batch, lengths))
    for row, utterance in zip(normalised, utterances, strict=True):
        if len(utterance):
            valid = row[: len(utterance)]
            torch.testing.assert_close(valid.mean(0), torch.zeros(2), atol=1e-5, rtol=0)
            torch.testing.assert_close(valid.std(0, correction=0), torch.ones(2))
        assert (row[len(utterance) :] == 0.0).all()


def test_utterances_are_normalised_all_by_the_corpus(utterances: list[Tensor]) -> None:
    batch, lengths = pad_with_nan(utterances)
    normalised = normalise(batch, lengths, corpus_statistics(utterances))
    frames = torch.cat([x[:n] for x, n in zip(normalised, lengths, strict=True)])
    torch.testing.assert_close(frames.mean(0), torch.zeros(2), atol=1e-5, rtol=0)
    torch.testing.assert_close(frames.std(0, correction=0), torch.ones(2))
    assert normalised[0, :7].mean() < -0.5  # the levels of utterances still differ


@pytest.mark.parametrize("n_frames", [1, 5])
def test_what_never_varies_becomes_zero_not_nan(n_frames: int) -> None:
    constant, lengths = torch.full((1, n_frames, 2), -15.9424), torch.tensor([n_frames])
    normalised = normalise(constant, lengths, utterance_statistics(constant, lengths))
    assert normalised.abs().max() < 1e-2
