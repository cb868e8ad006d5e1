"""The front-end as a whole: what it promises to the model, to the checkpoint and to ONNX."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from asr.errors import ConfigError, ShapeError
from asr.features.cmvn import CmvnAccumulator, CmvnStatistics
from asr.features.config import FeatureConfig
from asr.features.front_end import FrontEnd
from asr.features.padding import pad

LOG_MEL = FeatureConfig(
    sample_rate=16000,
    frame_length=0.025,
    frame_shift=0.010,
    n_mels=40,
    low_frequency=20.0,
    high_frequency=8000.0,
    min_log_energy=-15.0,
    n_ceps=0,
    delta_order=0,
    cmvn="none",
)
MFCC = replace(LOG_MEL, n_mels=23, n_ceps=13, delta_order=2, cmvn="utterance")
SETTINGS = [
    LOG_MEL,
    MFCC,
    replace(LOG_MEL, cmvn="global"),
    replace(MFCC, cmvn="speaker"),
]


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


def _speaker(front_end: FrontEnd, n_utterances: int) -> CmvnStatistics:
    shape = (n_utterances, front_end.n_features)
    return CmvnStatistics(torch.full(shape, 3.0), torch.full(shape, 2.0))


@pytest.mark.parametrize("config", SETTINGS)
def test_each_utterance_alone_is_itself_in_the_batch_whatever_the_padding_holds(
    config: FeatureConfig, waveforms: list[Tensor]
) -> None:
    front_end = _front_end(config)
    batch, lengths = pad(waveforms)
    for row, n_samples in zip(batch, lengths, strict=True):
        row[n_samples:] = torch.nan
    features, feature_lengths = front_end(batch, lengths, _speaker(front_end, 5))
    assert features.shape == (5, 48, front_end.n_features)
    assert feature_lengths.tolist() == [17, 0, 0, 1, 48]
    for i, waveform in enumerate(waveforms):
        alone, n_frames = front_end(
            waveform.unsqueeze(0), lengths[i : i + 1], _speaker(front_end, 1)
        )
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
    accumulator = CmvnAccumulator(front_end.n_features)
    accumulator.add(*front_end.raw(batch, lengths))
    statistics = accumulator.statistics()
    front_end.set_global_cmvn(statistics.mean, statistics.std)
    features, feature_lengths = front_end(batch, lengths)
    frames = torch.cat([x[:n] for x, n in zip(features, feature_lengths, strict=True)])
    torch.testing.assert_close(frames.mean(0), torch.zeros(39), atol=1e-4, rtol=0)
    torch.testing.assert_close(frames.std(0, correction=0), torch.ones(39), atol=1e-4, rtol=0)


def test_statistics_of_another_size_or_kind_are_refused() -> None:
    with pytest.raises(ShapeError, match="CMVN statistics"):
        FrontEnd(replace(LOG_MEL, cmvn="global")).set_global_cmvn(torch.zeros(3), torch.ones(3))
    with pytest.raises(ConfigError, match="cmvn is 'none'"):
        FrontEnd(LOG_MEL).set_global_cmvn(torch.zeros(40), torch.ones(40))


def test_speaker_normalisation_without_a_speaker_is_refused() -> None:
    with pytest.raises(ShapeError, match="speakers' statistics"):
        FrontEnd(replace(LOG_MEL, cmvn="speaker"))(torch.zeros(1, 800), torch.tensor([800]))


def test_energies_below_the_configured_floor_are_raised_to_it() -> None:
    front_end = FrontEnd(replace(LOG_MEL, min_log_energy=6.0))
    features, _ = front_end(torch.zeros(1, 800), torch.tensor([800]))
    assert features.unique().item() == pytest.approx(6.0)


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
        {"cmvn": "corpus"},
    ],
)
def test_impossible_configurations_are_refused_by_name(wrong: dict[str, object]) -> None:
    (name,) = wrong
    with pytest.raises(ConfigError, match=f"features.{name} must be"):
        replace(LOG_MEL, **wrong)  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # the exporter's own
@pytest.mark.parametrize("config", [replace(LOG_MEL, cmvn="global"), MFCC])
def test_the_exported_graph_computes_the_same_for_any_batch_and_length(
    config: FeatureConfig, waveforms: list[Tensor], tmp_path: Path
) -> None:
    pytest.importorskip("onnxscript")
    onnxruntime = pytest.importorskip("onnxruntime")
    front_end = _front_end(config).eval()
    batch, n_samples = torch.export.Dim("B", min=1), torch.export.Dim("N", min=400)
    torch.onnx.export(
        front_end,
        (torch.zeros(2, 4000), torch.tensor([4000, 3000])),
        tmp_path / "front_end.onnx",
        input_names=["waveforms", "lengths"],
        output_names=["features", "feature_lengths"],
        dynamic_shapes={"waveforms": {0: batch, 1: n_samples}, "lengths": {0: batch}},
        dynamo=True,
        verbose=False,
    )
    session = onnxruntime.InferenceSession(tmp_path / "front_end.onnx")
    for chosen in (waveforms, waveforms[-1:], [*waveforms, *waveforms]):
        padded, lengths = pad([(x * 32768).round() / 32768 for x in chosen])  # 16-bit samples
        expected, expected_lengths = front_end(padded, lengths)
        inputs = {"waveforms": padded.numpy(), "lengths": lengths.numpy()}
        features, feature_lengths = session.run(None, inputs)
        torch.testing.assert_close(torch.from_numpy(features), expected, atol=1e-4, rtol=1e-4)
        assert feature_lengths.tolist() == expected_lengths.tolist()
