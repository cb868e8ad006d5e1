import pytest
import torch

from asr.augment.codec import MP3_SETTINGS, through_mp3
from asr.augment.config import MP3_SAMPLE_RATES
from asr.errors import ConfigError

SAMPLE_RATE = 16000


def chirp() -> torch.Tensor:
    """Two seconds that rise from 100 to 3000 Hz."""
    seconds = torch.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    return 0.3 * torch.sin(2 * torch.pi * (100 * seconds + 725 * seconds.square()))


@pytest.mark.parametrize("setting", range(len(MP3_SETTINGS)))
def test_a_codec_keeps_the_sound_its_place_and_its_length(setting: int) -> None:
    waveform = chirp()

    decoded = through_mp3(waveform, SAMPLE_RATE, setting)

    assert decoded.shape == waveform.shape
    assert decoded.dtype == torch.float32
    error = (decoded - waveform)[1000:-1000]
    assert error.square().mean() < 0.05 * waveform.square().mean()  # a sample off: 0.2 and more


@pytest.mark.parametrize("setting", range(len(MP3_SETTINGS)))
def test_a_codec_takes_away_what_lies_high(setting: int) -> None:
    noise = 0.1 * torch.randn(SAMPLE_RATE, generator=torch.Generator().manual_seed(0))

    decoded = through_mp3(noise, SAMPLE_RATE, setting)

    before, after = (torch.fft.rfft(x).abs()[7600:].square().mean() for x in (noise, decoded))
    assert after < 0.01 * before


@pytest.mark.parametrize("n_samples", [1, 100, 1151, 1153])
def test_the_shortest_waveforms_keep_their_length(n_samples: int) -> None:
    for setting in range(len(MP3_SETTINGS)):
        assert through_mp3(torch.zeros(n_samples), SAMPLE_RATE, setting).shape == (n_samples,)


@pytest.mark.parametrize("sample_rate", MP3_SAMPLE_RATES)
def test_every_rate_that_mp3_has_can_be_encoded(sample_rate: int) -> None:
    assert through_mp3(torch.zeros(2000), sample_rate, 0).shape == (2000,)


def test_a_rate_that_mp3_has_not_is_refused_with_those_it_has() -> None:
    with pytest.raises(ConfigError, match="44100, 48000 Hz, not 10000"):
        through_mp3(torch.zeros(2000), 10000, 0)
