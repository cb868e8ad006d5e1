import dataclasses
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
import safetensors.torch
import torch
from numpy.typing import NDArray

from asr.checkpoint.directory import read_directory
from asr.checkpoint.golden import verify_golden
from asr.checkpoint.network import Checkpoint, add_graph, build, load_checkpoint, save_checkpoint
from asr.checkpoint.seal import SEAL_FILE
from asr.config import Config
from asr.errors import ConfigError, ModelError
from asr.runtime.onnx_engine import OnnxEngine
from asr.text.bpe import train_bpe
from asr.text.tokenizer import Tokenizer
from asr.text.tokens import TokenTable
from tests.conftest import make_config, with_phones

TEXTS = ["HELLO WORLD", "WE WOULD", "LOW OR HELD"]

Waveform = NDArray[np.float32]


@pytest.fixture
def checkpoint(small_config: Config) -> Checkpoint:
    torch.manual_seed(0)
    return build(small_config, {"text": TokenTable.from_text(TEXTS)})


@pytest.fixture
def example() -> Waveform:
    return (0.1 * np.random.default_rng(0).standard_normal(16000)).astype(np.float32)


@pytest.fixture
def folder(tmp_path: Path, checkpoint: Checkpoint, example: Waveform) -> Path:
    save_checkpoint(tmp_path / "model", checkpoint, card="# Card\n", example=example)
    return tmp_path / "model"


def log_probs(checkpoint: Checkpoint, waveform: Waveform, head: str = "text") -> Waveform:
    checkpoint.model.eval()
    return checkpoint.engine.log_probs(waveform[None], np.array([len(waveform)]), head)[0]


def test_a_model_directory_gives_back_the_same_model(
    folder: Path, checkpoint: Checkpoint, example: Waveform
) -> None:
    loaded = load_checkpoint(folder)

    assert loaded.directory == checkpoint.directory
    assert np.array_equal(log_probs(loaded, example), log_probs(checkpoint, example))


def test_every_head_is_stored_with_its_tokens(
    tmp_path: Path, small_config: Config, example: Waveform
) -> None:
    tokenizers: dict[str, Tokenizer] = {
        "text": train_bpe(TEXTS, 20),
        "phones": TokenTable(("<blank>", "AH", "R", "IY")),
    }
    checkpoint = build(with_phones(small_config), tokenizers)
    save_checkpoint(tmp_path / "model", checkpoint, card="# Card\n", example=example)

    loaded = load_checkpoint(tmp_path / "model")

    assert loaded.directory.tokenizers["phones"] == tokenizers["phones"]
    assert loaded.directory.tokenizers["text"].encode("WORLD") == (
        tokenizers["text"].encode("WORLD")
    )
    output, again = (log_probs(made, example, "phones") for made in (checkpoint, loaded))
    assert output.shape[2] == 4
    assert np.array_equal(output, again)


def test_a_head_that_is_not_there_is_named(folder: Path, example: Waveform) -> None:
    with pytest.raises(ConfigError, match="has the heads text, got 'phones'"):
        log_probs(load_checkpoint(folder), example, "phones")


def test_priors_are_stored_with_the_model_and_must_belong_to_it(
    tmp_path: Path, checkpoint: Checkpoint, example: Waveform
) -> None:
    n_tokens = len(checkpoint.directory.tokenizers["text"])
    prior = np.linspace(0.1, 0.2, n_tokens, dtype=np.float32)
    directory = dataclasses.replace(checkpoint.directory, priors={"text": prior})
    with_prior = dataclasses.replace(checkpoint, directory=directory)
    save_checkpoint(tmp_path / "model", with_prior, card="", example=example, is_half=True)
    assert np.array_equal(read_directory(tmp_path / "model").priors["text"], prior)

    file = tmp_path / "model" / "priors.safetensors"
    (tmp_path / "model" / SEAL_FILE).unlink()
    for wrong in (prior[1:].copy(), prior - np.float32(0.1)):
        file.write_bytes(safetensors.numpy.save({"text": wrong}))
        with pytest.raises(ModelError, match=f"text must be {n_tokens} numbers above 0"):
            read_directory(tmp_path / "model")


def test_half_precision_halves_the_weights_and_hardly_moves_the_output(
    tmp_path: Path, checkpoint: Checkpoint, example: Waveform
) -> None:
    save_checkpoint(tmp_path / "half", checkpoint, card="", example=example, is_half=True)

    half = safetensors.torch.load_file(tmp_path / "half" / "model.safetensors")
    assert all(t.dtype == torch.float16 for name, t in half.items() if name.startswith("model."))
    loaded = load_checkpoint(tmp_path / "half")
    np.testing.assert_allclose(
        log_probs(loaded, example), log_probs(checkpoint, example), atol=0.01
    )
    verify_golden(tmp_path / "half", loaded.directory, loaded.engine)


def test_the_golden_example_notices_another_feature_configuration(
    folder: Path, checkpoint: Checkpoint
) -> None:
    loaded = load_checkpoint(folder)
    with torch.no_grad():
        loaded.model.heads["text"].get_parameter("weight").mul_(20.0)
    other = build(make_config(features__low_frequency=3000.0), checkpoint.directory.tokenizers)
    other.model.load_state_dict(loaded.model.state_dict())
    other.model.eval()

    with pytest.raises(ModelError, match="probabilities differ"):
        verify_golden(folder, other.directory, other.engine)


def test_the_golden_example_notices_other_weights(folder: Path) -> None:
    loaded = load_checkpoint(folder)
    with torch.no_grad():
        loaded.model.heads["text"].get_parameter("bias")[3] += 100.0

    with pytest.raises(ModelError, match="probabilities differ"):
        verify_golden(folder, loaded.directory, loaded.engine)


def test_a_graph_is_added_to_a_model_with_a_golden_example_of_its_own(
    folder: Path, example: Waveform
) -> None:
    loaded = load_checkpoint(folder)

    add_graph(folder, loaded, "float32")

    engine = OnnxEngine(folder / "model.onnx", n_threads=1)
    verify_golden(folder, read_directory(folder), engine)
    computed, _ = engine.log_probs(example[None], np.array([len(example)]), "text")
    np.testing.assert_allclose(computed, log_probs(loaded, example), atol=1e-3)


def test_a_missing_folder_says_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"expected model\.onnx"):
        load_checkpoint(tmp_path)


@pytest.mark.parametrize("name", ["config.toml", "tokens-text.txt", "model.safetensors"])
def test_a_damaged_file_is_refused_and_the_folder_named(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"\x00 not what it was")

    with pytest.raises(ModelError, match=str(folder)):
        load_checkpoint(folder)


def test_weights_of_another_architecture_are_refused(folder: Path) -> None:
    (folder / SEAL_FILE).unlink()
    config = (folder / "config.toml").read_text()
    (folder / "config.toml").write_text(config.replace('"lstm"', '"gru"'))

    with pytest.raises(ModelError, match="weights do not fit"):
        load_checkpoint(folder)


def test_a_model_of_another_format_is_refused_with_what_to_do(folder: Path) -> None:
    (folder / SEAL_FILE).unlink()
    config = (folder / "config.toml").read_text()
    (folder / "config.toml").write_text(config.replace("format = 2", "format = 3"))
    with pytest.raises(ModelError, match="of format 3; this version reads format 2"):
        read_directory(folder)

    (folder / "config.toml").write_text(config.replace("format = 2\n", ""))
    with pytest.raises(ModelError, match=r"convert it with recipes/convert_format_1\.py"):
        read_directory(folder)


def test_a_model_replaces_an_earlier_one_as_a_whole(
    folder: Path, checkpoint: Checkpoint, example: Waveform
) -> None:
    (folder / "left over").touch()

    save_checkpoint(folder, checkpoint, card="", example=example)

    assert not (folder / "left over").exists()
    assert {path.name for path in folder.parent.iterdir()} == {"model"}


def test_what_is_no_model_is_never_replaced(
    tmp_path: Path, checkpoint: Checkpoint, example: Waveform
) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter 1").touch()
    (tmp_path / "letter").touch()

    for name in ("thesis", "letter"):
        with pytest.raises(ModelError, match=f"{name}: exists and is not a model"):
            save_checkpoint(tmp_path / name, checkpoint, card="", example=example)

    assert (tmp_path / "thesis" / "chapter 1").exists()
