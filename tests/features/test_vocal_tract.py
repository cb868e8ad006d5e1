"""Voices of other throats: where resonances go, and what stays."""

import pytest
import torch
from torch import Tensor

from asr.features.fbank import mel
from asr.features.vocal_tract import draw_factors, warp_frequencies

BAND = (20.0, 6400.0)


def vowel(frequency: float) -> Tensor:
    """Log-mel energies (1, 1, 80) with one broad resonance."""
    low, high = (mel(torch.tensor(edge)) for edge in BAND)
    centres = low + (high - low) / 81 * torch.arange(1, 81)
    return torch.exp(-(((centres - mel(torch.tensor(frequency))) / 150.0) ** 2))[None, None]


def resonance(features: Tensor) -> float:
    """Find the bin that most energy is in."""
    return float(features[0, 0].argmax())


def test_a_factor_of_one_changes_nothing() -> None:
    features = torch.randn(2, 7, 80, dtype=torch.float64)
    same = warp_frequencies(features, torch.ones(2), BAND)
    torch.testing.assert_close(same, features, rtol=0.0, atol=1e-9)


@pytest.mark.parametrize("factor", [0.85, 0.9, 1.1, 1.2])
@pytest.mark.parametrize("frequency", [800.0, 1500.0, 2500.0])
def test_a_resonance_moves_by_the_factor(frequency: float, factor: float) -> None:
    moved = warp_frequencies(vowel(frequency * factor), torch.tensor([factor]), BAND)

    assert abs(resonance(moved) - resonance(vowel(frequency))) <= 1.0
    assert abs(resonance(vowel(frequency * factor)) - resonance(vowel(frequency))) > 1.0


def test_the_outermost_filters_stay_where_they_are() -> None:
    """The warp is a straight line to the band's end behind its knee."""
    ramp = torch.arange(80.0).expand(3, 1, 80)
    warped = warp_frequencies(ramp, torch.tensor([0.8, 1.0, 1.25]), BAND)[:, 0]

    assert (warped.diff(dim=1) >= 0).all()
    assert (warped[:, -1] >= 78.0).all()
    assert warped[0, 40] < 40.0 < warped[2, 40]


def test_each_utterance_has_its_own_factor_and_frames_do_not_mix() -> None:
    features = torch.randn(3, 5, 40)
    factors = torch.tensor([0.9, 1.0, 1.1])
    together = warp_frequencies(features, factors, BAND)

    for row in range(3):
        for frame in range(5):
            alone = warp_frequencies(
                features[row : row + 1, frame : frame + 1], factors[row : row + 1], BAND
            )
            torch.testing.assert_close(together[row, frame], alone[0, 0])


def test_factors_are_drawn_evenly_around_one_as_far_as_their_strength_goes() -> None:
    factors = draw_factors(4000, 0.2, torch.Generator().manual_seed(0), strength=0.5)

    assert 0.9 <= float(factors.min()) < 0.905
    assert 1.095 < float(factors.max()) <= 1.1
    assert abs(float(factors.mean()) - 1.0) < 0.005
    assert torch.equal(factors, draw_factors(4000, 0.2, torch.Generator().manual_seed(0), 0.5))
