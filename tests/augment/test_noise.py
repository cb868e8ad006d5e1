import pytest
import torch
from torch import Tensor

from asr.augment.noise import SNR_DB, TILT, add_noise

RATE = 16000


def tone(n_samples: int = RATE) -> Tensor:
    return 0.1 * torch.sin(2 * torch.pi * 440 * torch.arange(n_samples) / RATE)


def noise(seed: int) -> Tensor:
    """Two seconds of what is added to a tone."""
    return add_noise(tone(2 * RATE), RATE, seed) - tone(2 * RATE)


def test_the_level_is_spread_over_the_range() -> None:
    signal = tone(2 * RATE).square().mean()

    levels = [float(10 * torch.log10(signal / noise(s).square().mean())) for s in range(100)]

    low, high = SNR_DB
    assert low - 0.01 < min(levels) < low + 1
    assert high - 1 < max(levels) < high + 0.01


def test_the_colour_goes_from_white_to_brown() -> None:
    slopes = []
    for seed in range(100):
        power = torch.fft.rfft(noise(seed)).abs().square()
        low, high = power[200:400].mean(), power[6400:12800].mean()  # 5 octaves apart
        slopes.append(float(torch.log2(low / high)) / 5)

    assert TILT[0] - 0.2 < min(slopes) < TILT[0] + 0.2
    assert TILT[1] - 0.2 < max(slopes) < TILT[1] + 0.2


def test_the_seed_decides_and_nothing_else() -> None:
    assert torch.equal(noise(1), noise(1))
    assert not torch.allclose(noise(1), noise(2))


def test_silence_stays_silent() -> None:
    assert torch.equal(add_noise(torch.zeros(RATE), RATE, 0), torch.zeros(RATE))


@pytest.mark.parametrize("n_samples", [1, 2, 3, 400, 15999])
def test_every_length_is_kept(n_samples: int) -> None:
    noisy = add_noise(tone(n_samples), RATE, 3)

    assert noisy.shape == (n_samples,)
    assert noisy.dtype == torch.float32
    assert bool(noisy.isfinite().all())


def test_the_waveform_itself_stays_as_it_is() -> None:
    waveform = tone()

    add_noise(waveform, RATE, 0)

    assert torch.equal(waveform, tone())
