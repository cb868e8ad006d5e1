"""The front-end as a whole: what it promises to the model and to the checkpoint."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from asr.errors import ConfigError
from asr.features.cmvn import corpus_statistics
from asr.features.config import FeatureConfig
from asr.features.front_end import FrontEnd
from asr.features.padding import pad
from tests.conftest import make_config, pad_with_nan

LOG_MEL = make_config(
    features__n_mels=40, features__high_frequency=8000.0, features__cmvn="none"
).features
MFCC = replace(LOG_MEL, n_mels=23, n_ceps=13, delta_order=2, cmvn="utterance")
WINDOW = replace(LOG_MEL, cmvn="window", cmvn_window=8.0)
SETTINGS = [LOG_MEL, MFCC, replace(LOG_MEL, cmvn="global"), WINDOW]


@pytest.fixture
def waveforms() -> list[Tensor]:
    """Noise of different levels; among it an empty waveform and one shorter than a frame."""
    generator = torch.Generator().manual_seed(1)
    lengths = (3000, 0, 399, 400, 8000)
    return [0.02 * (i + 1) * torch.randn(n, generator=generator) for i, n in enumerate(lengths)]


def _front_end(config: FeatureConfig) -> FrontEnd:
    front_end = FrontEnd(config)
    if config.cmvn == "global":
        n = front_end.n_features
        front_end.set_global_cmvn(torch.linspace(5, 10, n), torch.linspace(1, 3, n))
    return front_end


@pytest.mark.parametrize("config", SETTINGS)
def test_each_utterance_alone_is_itself_in_the_batch_whatever_the_padding_holds(
    config: FeatureConfig, waveforms: list[Tensor]
) -> None:
    front_end = _front_end(config)
    batch, lengths = pad_with_nan(waveforms)
    features, feature_lengths = front_end(batch, lengths)
    assert features.shape == (5, 48, front_end.n_features)
    assert feature_lengths.tolist() == [17, 0, 0, 1, 48]
    for i, waveform in enumerate(waveforms):
        alone, n_frames = front_end(waveform.unsqueeze(0), lengths[i : i + 1])
        torch.testing.assert_close(features[i, :n_frames], alone[0], atol=1e-4, rtol=1e-5)
        assert (features[i, n_frames:] == 0.0).all()


@pytest.mark.parametrize(
    ("config", "n_features"),
    [
        (LOG_MEL, 40),
        (replace(LOG_MEL, delta_order=1), 80),
        (MFCC, 39),
        (replace(MFCC, n_ceps=5), 15),
    ],
)
def test_the_number_of_features_is_known_beforehand(config: FeatureConfig, n_features: int) -> None:
    front_end = FrontEnd(config)
    features, _ = front_end(torch.zeros(1, 800), torch.tensor([800]))
    assert front_end.n_features == features.shape[2] == n_features


def test_corpus_statistics_travel_in_the_state_dict_and_nothing_else_does() -> None:
    config = replace(LOG_MEL, cmvn="global")
    trained = _front_end(config)
    assert set(trained.state_dict()) == {"mean", "std"}
    loaded = FrontEnd(config)
    loaded.load_state_dict(trained.state_dict())
    batch, lengths = torch.zeros(1, 800), torch.tensor([800])
    assert torch.equal(loaded(batch, lengths)[0], trained(batch, lengths)[0])
    assert not FrontEnd(LOG_MEL).state_dict()


def test_statistics_gathered_from_raw_features_normalise_them(waveforms: list[Tensor]) -> None:
    front_end = FrontEnd(replace(MFCC, cmvn="global"))
    batch, lengths = pad(waveforms)
    raw = front_end.raw(batch, lengths)
    statistics = corpus_statistics(row[:n] for row, n in zip(*raw, strict=True))
    front_end.set_global_cmvn(statistics.mean, statistics.std)
    features, feature_lengths = front_end(batch, lengths)
    frames = torch.cat([x[:n] for x, n in zip(features, feature_lengths, strict=True)])
    torch.testing.assert_close(frames.mean(0), torch.zeros(39), atol=1e-4, rtol=0)
    torch.testing.assert_close(frames.std(0, correction=0), torch.ones(39), atol=1e-4, rtol=0)


def test_eight_kilohertz_works() -> None:
    config = replace(LOG_MEL, sample_rate=8000, high_frequency=4000.0, n_mels=23)
    features, lengths = FrontEnd(config)(torch.zeros(1, 8000), torch.tensor([8000]))
    assert features.shape == (1, 98, 23)
    assert lengths.tolist() == [98]


@pytest.mark.parametrize(
    "wrong",
    [
        {"sample_rate": 0},
        {"frame_length": 0.0},
        {"frame_shift": -0.01},
        {"n_mels": 0},
        {"low_frequency": 8000.0},
        {"high_frequency": 8000.5},
        {"n_ceps": 41},
        {"delta_order": -1},
        {"cmvn_window": 8.0},  # of none
    ],
)
def test_impossible_configurations_are_refused_by_name(wrong: dict[str, object]) -> None:
    (name,) = wrong
    with pytest.raises(ConfigError, match=f"features.{name} must be"):
        replace(LOG_MEL, **wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [{"cmvn_window": 0.0}, {"n_ceps": 13}, {"delta_order": 1}])
def test_a_window_has_a_length_and_is_of_log_mel_energies(wrong: dict[str, object]) -> None:
    (name,) = wrong
    with pytest.raises(ConfigError, match=f"features.{name} must be .* where cmvn is"):
        replace(WINDOW, **wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(("tempo", "n_samples_per_shift"), [(0.87, 139), (1.15, 184), (2.0, 320)])
def test_tempo_takes_the_same_spectra_at_other_times(
    tempo: float, n_samples_per_shift: int
) -> None:
    waveform = 0.1 * torch.randn(1, 8000, generator=torch.Generator().manual_seed(1))
    front_end, lengths = FrontEnd(LOG_MEL), torch.tensor([8000])

    features, feature_lengths = front_end.raw(waveform, lengths, tempo)

    starts = range(0, 8000 - 400 + 1, n_samples_per_shift)
    assert feature_lengths.tolist() == [len(starts)] == [features.shape[1]]
    for frame, start in zip(features[0], starts, strict=True):
        alone, _ = front_end.raw(waveform[:, start : start + 400], torch.tensor([400]))
        torch.testing.assert_close(frame, alone[0, 0], atol=1e-4, rtol=1e-5)
