from pathlib import Path

import pytest
import torch

from asr.char_lm.characters import CharacterTable
from asr.char_lm.config import LanguageConfig
from asr.char_lm.language_model import (
    LanguageModel,
    build_language_model,
    load_language_model,
    save_language_model,
)
from asr.errors import ModelError

TEXTS = ["Don't stop!", "OK", ""]


@pytest.fixture
def language_model(small_language_config: LanguageConfig) -> LanguageModel:
    torch.manual_seed(0)
    return build_language_model(small_language_config, CharacterTable.of(["DON'T STOP OK"]))


def test_a_model_directory_gives_back_the_same_model(
    language_model: LanguageModel, tmp_path: Path
) -> None:
    save_language_model(tmp_path / "model", language_model, card="# Card\n")

    loaded = load_language_model(tmp_path / "model")

    assert loaded.config == language_model.config
    assert loaded.table == language_model.table
    assert loaded.log_probs(TEXTS) == language_model.log_probs(TEXTS)
    assert sorted(path.name for path in (tmp_path / "model").iterdir()) == [
        "README.md",
        "config.toml",
        "model.safetensors",
        "tokens.txt",
    ]


def test_text_is_normalised_before_it_is_scored(language_model: LanguageModel) -> None:
    assert language_model.log_probs(TEXTS) == language_model.log_probs(["DON'T STOP", "OK", ""])
    assert language_model.perplexity(TEXTS) == language_model.perplexity(["DON'T STOP", "OK"])


@pytest.mark.parametrize("missing", ["model.safetensors", "config.toml", "tokens.txt"])
def test_a_directory_that_lacks_a_file_is_refused_by_its_name(
    language_model: LanguageModel, tmp_path: Path, missing: str
) -> None:
    save_language_model(tmp_path / "model", language_model, card="")
    (tmp_path / "model" / missing).unlink()

    with pytest.raises(ModelError, match=rf"model: .*{missing}"):
        load_language_model(tmp_path / "model")


def test_files_that_do_not_belong_together_are_refused(
    language_model: LanguageModel, tmp_path: Path
) -> None:
    save_language_model(tmp_path / "model", language_model, card="")
    CharacterTable.of(["AB"]).write(tmp_path / "model")

    with pytest.raises(ModelError, match="do not make a language model"):
        load_language_model(tmp_path / "model")


@pytest.mark.parametrize(
    ("version", "message"),
    [
        ("", r"of format 1; this version reads format 2: in its config\.toml, remove "),
        ("format = 3\n", "of format 3; this version reads format 2: install a newer one"),
    ],
)
def test_another_format_is_refused_with_a_way_out(
    language_model: LanguageModel, tmp_path: Path, version: str, message: str
) -> None:
    save_language_model(tmp_path / "model", language_model, card="")
    config = tmp_path / "model" / "config.toml"
    config.write_text(version + config.read_text().removeprefix("format = 2\n"))

    with pytest.raises(ModelError, match=message):
        load_language_model(tmp_path / "model")
