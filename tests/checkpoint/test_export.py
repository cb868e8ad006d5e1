"""The exported graph against the network in torch that it was made from."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from asr.checkpoint.export import export_onnx
from asr.checkpoint.onnx.front_end import add_front_end
from asr.checkpoint.onnx.graph import Graph
from asr.features.front_end import FrontEnd
from asr.features.padding import pad
from asr.model.acoustic import AcousticModel
from asr.runtime.description import Weights
from asr.runtime.onnx_engine import Session, open_session
from tests.conftest import make_config, pad_with_nan

N_TOKENS, N_PHONES = 5, 7
SAMPLES = (4000, 0, 399, 400, 2719)  # none, one too few for a frame, and exactly one frame
ALL_WEIGHTS: tuple[Weights, ...] = ("float32", "float16", "int8")


def make_front_end(**changes: object) -> FrontEnd:
    config = make_config(features__n_mels=11, features__cmvn="utterance").features
    front_end = FrontEnd(replace(config, **changes))  # type: ignore[arg-type]
    if front_end.config.cmvn == "global":
        generator = torch.Generator().manual_seed(2)
        mean, std = torch.rand(2, front_end.n_features, generator=generator)
        std[0] = 0.0  # never varies
        front_end.set_global_cmvn(10.0 * mean, 3.0 * std)
    return front_end


def make_model(
    n_features: int = 11, *, heads: tuple[str, ...] = ("text", "phones"), **changes: object
) -> AcousticModel:
    torch.manual_seed(0)
    config = make_config(model__subsampling_factor=4, model__dropout=0.0).model
    config = replace(config, **changes)  # type: ignore[arg-type]
    sizes = {head: {"text": N_TOKENS, "phones": N_PHONES}[head] for head in heads}
    model = AcousticModel(config, n_features=n_features, heads=sizes)
    for parameter in model.parameters():
        parameter.data *= 2.0  # gates that open and close
    return model.eval()


def make_waveforms(*n_samples: int) -> list[Tensor]:
    """Noise of rising and falling level, in 16-bit samples."""
    generator = torch.Generator().manual_seed(1)
    levels = [torch.linspace(0.0, 3.0, n).sin() for n in n_samples]
    noises = [0.1 * level * torch.randn(len(level), generator=generator) for level in levels]
    return [(noise * 32768).round() / 32768 for noise in noises]


def exported(
    folder: Path, front_end: FrontEnd, model: AcousticModel, weights: Weights = "float32"
) -> Session:
    path = folder / "model.onnx"
    export_onnx(front_end, model, path, weights=weights)
    return open_session(path)


def run(
    session: Session, waveforms: Tensor, lengths: Tensor, head: str = "text"
) -> tuple[Tensor, Tensor]:
    inputs = {"waveforms": waveforms.numpy(), "lengths": lengths.numpy()}
    log_probs, frame_lengths = session.run([head, "frame_lengths"], inputs)
    return torch.from_numpy(log_probs), torch.from_numpy(frame_lengths)


def assert_equals_torch(
    folder: Path,
    front_end: FrontEnd,
    model: AcousticModel,
    n_samples: tuple[int, ...] = SAMPLES,
) -> None:
    waveforms, lengths = pad_with_nan(make_waveforms(*n_samples))
    session = exported(folder, front_end, model)
    for head in ("text", "phones"):
        with torch.inference_mode():
            expected, expected_lengths = model(*front_end(waveforms, lengths), head)

        log_probs, frame_lengths = run(session, waveforms, lengths, head)

        assert frame_lengths.tolist() == expected_lengths.tolist()
        assert log_probs.dtype == torch.float32
        for row, expected_row, length in zip(log_probs, expected, frame_lengths, strict=True):
            torch.testing.assert_close(row[:length], expected_row[:length], rtol=0.0, atol=2e-4)


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("n_layers", [1, 2, 3])
def test_every_network_equals_torch(
    tmp_path: Path, cell: str, bidirectional: bool, n_layers: int
) -> None:
    for n_channels, factor in ((4, 2), (4, 3), (4, 4), (0, 1), (0, 2), (0, 3)):
        model = make_model(
            cell=cell,
            bidirectional=bidirectional,
            n_layers=n_layers,
            n_channels=n_channels,
            subsampling_factor=factor,
        )
        assert_equals_torch(tmp_path, make_front_end(), model)


@pytest.mark.parametrize("n_ceps", [0, 6])
@pytest.mark.parametrize("delta_order", [0, 1, 2])
@pytest.mark.parametrize("cmvn", ["none", "global", "utterance"])
def test_every_front_end_equals_torch(
    tmp_path: Path, n_ceps: int, delta_order: int, cmvn: str
) -> None:
    front_end = make_front_end(n_ceps=n_ceps, delta_order=delta_order, cmvn=cmvn)
    assert_equals_torch(tmp_path, front_end, make_model(front_end.n_features))


@pytest.mark.parametrize("cmvn_window", [1.0, 1.3, 8.0])
def test_every_window_equals_torch(tmp_path: Path, cmvn_window: float) -> None:
    front_end = make_front_end(cmvn="window", cmvn_window=cmvn_window)
    assert_equals_torch(tmp_path, front_end, make_model(), (70000, *SAMPLES, 20000))


@pytest.mark.parametrize(
    ("sample_rate", "frame_length", "frame_shift"),
    [(8000, 0.025, 0.01), (11025, 0.025, 0.01), (16000, 0.032, 0.0125), (16000, 0.02, 0.02)],
)
def test_every_frame_equals_torch(
    tmp_path: Path, sample_rate: int, frame_length: float, frame_shift: float
) -> None:
    front_end = make_front_end(
        sample_rate=sample_rate,
        frame_length=frame_length,
        frame_shift=frame_shift,
        high_frequency=3600.0,
    )
    assert_equals_torch(tmp_path, front_end, make_model())


@pytest.mark.parametrize("weights", ["float32", "float16"])
@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("n_channels", [0, 4])
def test_an_utterance_alone_equals_itself_in_a_batch(
    tmp_path: Path, weights: Weights, cell: str, n_channels: int
) -> None:
    front_end = make_front_end(delta_order=2)
    model = make_model(front_end.n_features, cell=cell, n_channels=n_channels, n_layers=2)
    session = exported(tmp_path, front_end, model, weights)
    utterances = make_waveforms(*SAMPLES)
    together, lengths = run(session, *pad_with_nan(utterances))

    for row, length, utterance in zip(together, lengths, utterances, strict=True):
        alone, lengths_alone = run(session, *pad([utterance]))

        assert lengths_alone.tolist() == [length]
        torch.testing.assert_close(alone[0, :length], row[:length], rtol=0.0, atol=2e-5)


@pytest.mark.parametrize("weights", ALL_WEIGHTS)
@pytest.mark.parametrize("n_channels", [0, 4])
@pytest.mark.parametrize("n_samples", [(0,), (399,), (0, 0)])
def test_where_nobody_has_a_frame_there_are_no_log_probs(
    tmp_path: Path, weights: Weights, n_channels: int, n_samples: tuple[int, ...]
) -> None:
    session = exported(tmp_path, make_front_end(), make_model(n_channels=n_channels), weights)

    _, frame_lengths = run(session, *pad(make_waveforms(*n_samples)))

    assert frame_lengths.tolist() == [0] * len(n_samples)


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_float16_computes_what_torch_does_with_rounded_weights(tmp_path: Path, cell: str) -> None:
    front_end, model = make_front_end(), make_model(cell=cell, n_layers=2)
    session = exported(tmp_path, front_end, model, "float16")
    for parameter in model.parameters():
        parameter.data = parameter.data.half().float()
    waveforms, lengths = pad(make_waveforms(4000))
    with torch.inference_mode():
        expected, _ = model(*front_end(waveforms, lengths), "text")

    log_probs, _ = run(session, waveforms, lengths)

    torch.testing.assert_close(log_probs, expected, rtol=0.0, atol=2e-4)


@pytest.mark.parametrize("weights", ALL_WEIGHTS)
def test_the_same_model_gives_the_same_bytes(tmp_path: Path, weights: Weights) -> None:
    paths = [tmp_path / "one.onnx", tmp_path / "other.onnx"]
    for path in paths:
        export_onnx(make_front_end(), make_model(), path, weights=weights)

    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_weights_take_a_half_and_a_quarter_of_the_space(tmp_path: Path) -> None:
    sizes = {}
    for weights in ALL_WEIGHTS:
        path = tmp_path / f"{weights}.onnx"
        export_onnx(make_front_end(), make_model(size=256), path, weights=weights)
        sizes[weights] = path.stat().st_size

    assert sizes["float16"] == pytest.approx(0.5 * sizes["float32"], rel=0.1)
    assert sizes["int8"] == pytest.approx(0.25 * sizes["float32"], rel=0.1)


@pytest.mark.parametrize("cell", ["gru", "rnn"])
def test_what_has_no_8_bit_operator_is_stored_in_float16(tmp_path: Path, cell: str) -> None:
    paths = {weights: tmp_path / f"{weights}.onnx" for weights in ALL_WEIGHTS}
    for weights, path in paths.items():
        export_onnx(make_front_end(), make_model(cell=cell), path, weights=weights)

    assert paths["int8"].read_bytes() == paths["float16"].read_bytes()


def test_a_model_has_the_heads_that_the_network_has(tmp_path: Path) -> None:
    session = exported(tmp_path, make_front_end(), make_model(heads=("text",)))

    assert [output.name for output in session.get_outputs()] == ["frame_lengths", "text"]


def test_features_of_16_bit_samples_are_exact_next_to_a_loud_tone(tmp_path: Path) -> None:
    """A spectrum in float32 would be wrong by 7e-4 in the bands that the tone leaves empty."""
    tone = 0.5 * torch.sin(2 * torch.pi * 300 / 16000 * torch.arange(16000))
    waveforms, lengths = pad([(tone * 32768).round() / 32768])
    front_end = make_front_end(n_mels=80, cmvn="none")
    graph = Graph()
    features = add_front_end(
        graph,
        front_end,
        graph.input("waveforms", "float32", "B", "N"),
        graph.input("lengths", "int64", "B"),
    )
    graph.output("features", features.values, "float32", "B", "T", 80)
    graph.output("frame_lengths", features.lengths, "int64", "B")
    path = tmp_path / "features.onnx"
    path.write_bytes(graph.model({}))

    computed, _ = run(open_session(path), waveforms, lengths, "features")

    expected, _ = front_end(waveforms, lengths)
    torch.testing.assert_close(computed, expected, rtol=0.0, atol=1e-5)
