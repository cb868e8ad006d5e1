import dataclasses
from pathlib import Path

import pytest
import safetensors.torch
import torch

from asr.checkpoint.directory import copy_model
from asr.checkpoint.network import (
    Checkpoint,
    build,
    load_checkpoint,
    save_checkpoint,
    verify_golden,
)
from asr.config import Config
from asr.errors import ConfigError, ModelError
from asr.text.bpe import train_bpe
from asr.text.tokens import TokenTable

TEXTS = ["HELLO WORLD", "WE WOULD", "LOW OR HELD"]


@pytest.fixture
def checkpoint(small_config: Config) -> Checkpoint:
    torch.manual_seed(0)
    return build(small_config, TokenTable.from_text(TEXTS))


@pytest.fixture
def example() -> torch.Tensor:
    return 0.1 * torch.randn(16000, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def folder(tmp_path: Path, checkpoint: Checkpoint, example: torch.Tensor) -> Path:
    save_checkpoint(tmp_path / "model", checkpoint, card="# Card\n", example=example)
    return tmp_path / "model"


def log_probs(checkpoint: Checkpoint, waveform: torch.Tensor) -> torch.Tensor:
    checkpoint.model.eval()
    features = checkpoint.front_end(waveform[None], torch.tensor([len(waveform)]))
    result: torch.Tensor = checkpoint.model(*features)[0]
    return result


def test_a_model_directory_gives_back_the_same_model(
    folder: Path, checkpoint: Checkpoint, example: torch.Tensor
) -> None:
    loaded = load_checkpoint(folder)

    assert loaded.config == checkpoint.config
    assert loaded.tokenizer == checkpoint.tokenizer
    assert torch.equal(log_probs(loaded, example), log_probs(checkpoint, example))


def test_the_output_of_phones_travels_with_the_model(
    tmp_path: Path, small_config: Config, example: torch.Tensor
) -> None:
    phones = TokenTable(("<blank>", "AH", "R", "IY"))
    checkpoint = build(small_config, TokenTable.from_text(TEXTS), phones)
    save_checkpoint(tmp_path / "model", checkpoint, card="# Card\n", example=example)

    loaded = load_checkpoint(tmp_path / "model")

    assert loaded.phones == phones
    features, lengths = torch.randn(1, 30, loaded.front_end.n_features), torch.tensor([30])
    checkpoint.model.eval()
    said, heard = (made.model(features, lengths, "phones")[0] for made in (checkpoint, loaded))
    assert said.shape[2] == len(phones)
    assert torch.equal(said, heard)


def test_a_model_without_phones_says_so(folder: Path) -> None:
    model = load_checkpoint(folder).model

    with pytest.raises(ConfigError, match="no output of phones"):
        model(torch.randn(1, 30, 20), torch.tensor([30]), "phones")


def test_the_priors_travel_with_the_model_and_must_belong_to_it(
    tmp_path: Path, checkpoint: Checkpoint, example: torch.Tensor
) -> None:
    n_tokens = len(checkpoint.tokenizer)
    prior = torch.linspace(0.1, 0.2, n_tokens)
    with_prior = dataclasses.replace(checkpoint, priors={"text": prior})
    save_checkpoint(tmp_path / "model", with_prior, card="", example=example, is_half=True)
    assert torch.equal(load_checkpoint(tmp_path / "model").priors["text"], prior)

    file = tmp_path / "model" / "priors.safetensors"
    for wrong in (prior[1:].clone(), prior - 0.1):
        file.write_bytes(safetensors.torch.save({"text": wrong}))
        with pytest.raises(ModelError, match=f"text must be {n_tokens} numbers above 0"):
            load_checkpoint(tmp_path / "model")


def test_bpe_travels_with_the_model(
    tmp_path: Path, small_config: Config, example: torch.Tensor
) -> None:
    checkpoint = build(small_config, train_bpe(TEXTS, 20))

    save_checkpoint(tmp_path / "model", checkpoint, card="", example=example)

    assert load_checkpoint(tmp_path / "model").tokenizer.encode("WORLD") == (
        checkpoint.tokenizer.encode("WORLD")
    )


def test_half_precision_halves_the_weights_and_hardly_moves_the_answer(
    tmp_path: Path, checkpoint: Checkpoint, example: torch.Tensor
) -> None:
    save_checkpoint(tmp_path / "half", checkpoint, card="", example=example, is_half=True)

    half = safetensors.torch.load_file(tmp_path / "half" / "model.safetensors")
    assert all(t.dtype == torch.float16 for name, t in half.items() if name.startswith("model."))
    torch.testing.assert_close(
        log_probs(load_checkpoint(tmp_path / "half"), example),
        log_probs(checkpoint, example),
        atol=0.01,
        rtol=0.0,
    )
    verify_golden(tmp_path / "half", load_checkpoint(tmp_path / "half"))


def test_the_golden_example_notices_another_feature_configuration(
    folder: Path, checkpoint: Checkpoint
) -> None:
    features = dataclasses.replace(checkpoint.config.features, low_frequency=100.0)
    other = build(dataclasses.replace(checkpoint.config, features=features), checkpoint.tokenizer)

    with pytest.raises(ModelError, match="features differ"):
        verify_golden(folder, other)


def test_the_golden_example_notices_other_weights(folder: Path) -> None:
    loaded = load_checkpoint(folder)
    with torch.no_grad():
        loaded.model.projection.bias[3] += 100.0

    with pytest.raises(ModelError, match="reads"):
        verify_golden(folder, loaded)


def test_a_missing_folder_says_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"expected model\.safetensors"):
        load_checkpoint(tmp_path)


@pytest.mark.parametrize("name", ["config.toml", "tokens.txt", "model.safetensors"])
def test_a_damaged_file_is_refused_and_the_folder_named(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"\x00 not what it was")

    with pytest.raises(ModelError, match=str(folder)):
        load_checkpoint(folder)


def test_weights_of_another_architecture_are_refused(folder: Path) -> None:
    config = (folder / "config.toml").read_text()
    (folder / "config.toml").write_text(config.replace('"lstm"', '"gru"'))

    with pytest.raises(ModelError, match="do not make a model"):
        load_checkpoint(folder)


def test_a_copy_replaces_an_earlier_model_as_a_whole(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    copy_model(folder, target)
    (target / "left over").touch()

    copy_model(folder, target)

    assert {p.name for p in target.iterdir()} == {p.name for p in folder.iterdir()}
    assert {p.name for p in tmp_path.iterdir()} == {"model", "target"}


def test_what_is_no_model_is_never_replaced(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter 1").touch()
    (tmp_path / "letter").touch()

    for name in ("thesis", "letter"):
        with pytest.raises(ModelError, match=f"{name}: is there already and no model"):
            copy_model(folder, tmp_path / name)

    assert (tmp_path / "thesis" / "chapter 1").exists()


def test_older_models_that_somebody_keeps_beside_it_stay(folder: Path, tmp_path: Path) -> None:
    for name in ("target", "target.old", "target.new"):
        copy_model(folder, tmp_path / name)

    copy_model(folder, tmp_path / "target")

    assert {p.name for p in tmp_path.glob("target*")} == {"target", "target.old", "target.new"}
