import dataclasses

import pytest
import torch
from torch import Tensor

from asr.errors import ConfigError, ShapeError
from asr.features.padding import pad
from asr.model.acoustic import AcousticModel
from asr.model.recurrent import RecurrentLayer
from tests.conftest import make_config, pad_with_nan

CONFIG = make_config(
    model__subsampling_factor=4, model__size=16, model__n_layers=2, model__dropout=0.1
).model
N_FEATURES, N_TOKENS = 11, 7
HEADS = {"text": N_TOKENS, "phones": 3}


def make_model(**changes: object) -> AcousticModel:
    torch.manual_seed(0)
    config = dataclasses.replace(CONFIG, **changes)  # type: ignore[arg-type]
    return AcousticModel(config, n_features=N_FEATURES, heads=HEADS).eval()


def random_features(*n_frames: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(1)
    return [torch.randn(n, N_FEATURES, generator=generator) for n in n_frames]


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize(("n_channels", "factor"), [(4, 2), (4, 3), (4, 4), (0, 1), (0, 2), (0, 3)])
def test_an_utterance_alone_equals_itself_in_a_batch_whatever_the_padding_holds(
    cell: str, bidirectional: bool, n_channels: int, factor: int
) -> None:
    model = make_model(
        cell=cell,
        bidirectional=bidirectional,
        n_channels=n_channels,
        subsampling_factor=factor,
    )
    utterances = random_features(50, 1, 33, 47)
    together, lengths = model(*pad_with_nan(utterances), "text")

    for row, utterance in enumerate(utterances):
        alone, length = model(*pad([utterance]), "text")

        assert lengths[row] == length[0] == -(-len(utterance) // factor)
        assert alone.shape == (1, int(length[0]), N_TOKENS)
        torch.testing.assert_close(
            together[row, : lengths[row]], alone[0], rtol=0.0, atol=1e-5, msg=f"row {row}"
        )


@pytest.mark.parametrize("n_channels", [0, 4])
def test_a_batch_without_frames_has_no_output_frames(n_channels: int) -> None:
    model = make_model(n_channels=n_channels)

    log_probs, lengths = model(*pad(random_features(0, 0)), "text")

    assert lengths.tolist() == [0, 0]
    assert len(log_probs) == 2


def test_each_head_has_tokens_of_its_own() -> None:
    model, batch = make_model(), pad(random_features(40, 21))

    shapes = {head: tuple(model(*batch, head)[0].shape) for head in HEADS}

    assert shapes == {"text": (2, 10, 7), "phones": (2, 10, 3)}
    with pytest.raises(ConfigError, match="the heads text, phones, got 'words'"):
        model(*batch, "words")


def test_dropout_changes_training_and_is_the_same_in_all_frames() -> None:
    model = make_model()
    features, lengths = pad(random_features(40, 40))
    generator = torch.Generator().manual_seed(0)
    kept = model.draw_dropout(2, generator, strength=0.0)
    dropped = model.draw_dropout(2, generator)

    plain, same, other = (model.encode(features, lengths, x)[0] for x in (None, kept, dropped))

    assert torch.equal(plain, same)
    assert not torch.allclose(plain, other)
    assert dropped.shape == (3, 2, 1, 16)


def test_every_frame_is_a_probability_distribution() -> None:
    log_probs, lengths = make_model()(*pad(random_features(40, 21)), "text")

    sums = log_probs.exp().sum(2)

    for row, length in enumerate(lengths):
        torch.testing.assert_close(sums[row, :length], torch.ones(int(length)))


def test_padded_directions_equal_a_packed_recurrent_layer() -> None:
    model = make_model(n_layers=1)
    layer = model.encoder.layers[0]
    assert isinstance(layer, RecurrentLayer)
    assert layer.back is not None
    frames, lengths = pad([torch.randn(9, 16), torch.randn(5, 16)])
    packed_lstm = torch.nn.LSTM(16, 16, batch_first=True, bidirectional=True)
    for name, parameter in layer.ahead.named_parameters():
        getattr(packed_lstm, name).data = parameter.data
    for name, parameter in layer.back.named_parameters():
        getattr(packed_lstm, f"{name}_reverse").data = parameter.data
    packed = torch.nn.utils.rnn.pack_padded_sequence(
        frames, lengths, batch_first=True, enforce_sorted=False
    )

    expected, _ = torch.nn.utils.rnn.pad_packed_sequence(packed_lstm(packed)[0], batch_first=True)
    expected = layer.norm(frames + expected[:, :, :16] + expected[:, :, 16:])
    got = layer(frames, lengths)

    for row, length in enumerate(lengths):
        torch.testing.assert_close(got[row, :length], expected[row, :length], atol=1e-6, rtol=1e-5)


def test_a_one_directional_encoder_does_not_look_ahead() -> None:
    model = make_model(bidirectional=False)
    (features,) = random_features(40)
    changed = features.clone()
    changed[30:] += 1.0

    before = model(*pad([features]), "text")[0]
    after = model(*pad([changed]), "text")[0]

    assert torch.equal(before[:, :6], after[:, :6])  # a frame sees 7 frames, the last at 4 t + 3
    assert not torch.allclose(before[:, 8:], after[:, 8:])


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("subsampling_factor", 5),
        ("size", 0),
        ("n_layers", 0),
        ("n_channels", -1),
        ("dropout", 1.0),
    ],
)
def test_a_network_that_cannot_be_built_is_refused_by_the_key(key: str, value: object) -> None:
    with pytest.raises(ConfigError, match=f"model.{key}"):
        dataclasses.replace(CONFIG, **{key: value})  # type: ignore[arg-type]


def test_lengths_beyond_the_features_are_refused() -> None:
    with pytest.raises(ShapeError):
        make_model()(torch.zeros(1, 8, N_FEATURES), torch.tensor([9]), "text")


def test_a_head_named_as_what_torch_uses_is_refused() -> None:
    with pytest.raises(ConfigError, match="'keys' already exists in torch; choose another name"):
        AcousticModel(CONFIG, n_features=N_FEATURES, heads={"text": N_TOKENS, "keys": 3})
