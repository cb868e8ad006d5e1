"""Configurations: complete, checked by name, and the same after a round trip."""

import dataclasses
import math
import tomllib
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from asr.speller import build_speller

from asr.char_lm.characters import CharacterTable
from asr.char_lm.language_model import build_language_model
from asr.checkpoint.network import build
from asr.config import (
    Config,
    LanguageConfig,
    SpellingConfig,
    config_hash,
    read_config,
    read_tree,
    to_toml,
)
from asr.errors import ConfigError
from asr.text.tokens import TokenTable

CONF = Path(__file__).parent.parent / "conf"
LANGUAGE = CONF / "char_lm.toml"
SPELLER = CONF / "speller.toml"
SHIPPED = sorted({*CONF.glob("*.toml")} - {LANGUAGE, SPELLER})


def changed(tmp_path: Path, config: Config, table: str, **values: object) -> Path:
    """A file with some values of a table replaced; None takes the key out."""
    tree: dict[str, Any] = tomllib.loads(to_toml(config))
    tree[table] = {k: v for k, v in {**tree[table], **values}.items() if v is not None}
    path = tmp_path / "changed.toml"
    path.write_text(tomli_w.dumps(tree))
    return path


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_configuration_loads_and_makes_a_model(path: Path) -> None:
    checkpoint = build(read_config(path), TokenTable.from_text(["A"]))
    assert checkpoint.frame_shift > 0


def test_the_shipped_configuration_of_a_language_model_loads_and_makes_one() -> None:
    config = read_tree(LanguageConfig, LANGUAGE)
    model = build_language_model(config, CharacterTable.of(["A"]))
    assert model.log_probs(["a"])[0] < 0
    assert "asr lm train conf/char_lm.toml" in LANGUAGE.read_text().split("\n\n")[0]


def test_the_shipped_configuration_of_a_speller_loads_and_makes_one() -> None:
    config = read_tree(SpellingConfig, SPELLER)
    speller = build_speller(config, TokenTable.from_text(["A"]), n_phones=5)
    assert speller.frames_heard == 2.0
    assert "recipes/mini_librispeech/run.sh" in SPELLER.read_text().split("\n\n")[0]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"train.phone_weight": "0.3"}, r"train\.phone_weight must be 0 for a speller"),
        ({"train.grow_epochs": "50"}, r"train\.grow_epochs is 50"),
        ({"pronouncing.max_words": "3"}, r"pronouncing\.max_words must be at least min_words"),
    ],
)
def test_a_speller_that_cannot_be_trained_is_refused(
    change: dict[str, str], complaint: str
) -> None:
    with pytest.raises(ConfigError, match=rf"speller\.toml: {complaint}"):
        read_tree(SpellingConfig, SPELLER, change)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_head_of_a_shipped_configuration_says_how_to_run_it(path: Path) -> None:
    head = path.read_text().split("\n\n")[0]
    assert all(line.startswith("#") for line in head.splitlines())
    assert f"recipes/{path.stem}/run.sh" in head
    assert (CONF.parent / "recipes" / path.stem / "run.sh").is_file()


def test_a_configuration_reads_back_as_it_was_written(tmp_path: Path, small_config: Config) -> None:
    (tmp_path / "c.toml").write_text(to_toml(small_config))
    assert read_config(tmp_path / "c.toml") == small_config


def test_the_hash_changes_with_a_value_but_not_with_comments(
    tmp_path: Path, small_config: Config
) -> None:
    (tmp_path / "c.toml").write_text("# a comment\n\n" + to_toml(small_config))
    assert config_hash(read_config(tmp_path / "c.toml")) == config_hash(small_config)
    train = dataclasses.replace(small_config.train, n_epochs=4)
    assert config_hash(dataclasses.replace(small_config, train=train)) != config_hash(small_config)
    assert len(config_hash(small_config)) == 8


@pytest.mark.parametrize(
    ("table", "values", "complaint"),
    [
        ("model", {"layers": 3}, "unknown key model.layers"),
        ("model", {"size": None}, "missing key model.size"),
        ("model", {"sise": 8, "size": None}, "unknown key model.sise; missing key model.size"),
        ("model", {"size": "large"}, "model.size must be int, got 'large'"),
        ("model", {"size": True}, "model.size must be int, got True"),
        ("model", {"size": 8.0}, "model.size must be int, got 8.0"),
        ("model", {"bidirectional": 1}, "model.bidirectional must be bool, got 1"),
        ("model", {"size": 0}, "model.size must be at least 1, got 0"),
        ("features", {"cmvn": "global "}, "features.cmvn must be one of"),
        ("optimiser", {"learning_rate": math.inf}, "optimiser.learning_rate must be finite"),
        ("features", {"frame_length": math.nan}, "features.frame_length must be finite"),
        ("batching", {"speeds": 1.0}, "batching.speeds must be a list, got 1.0"),
        ("batching", {"speeds": ["fast"]}, "batching.speeds must be float, got 'fast'"),
    ],
)
def test_what_is_wrong_is_refused_by_the_name_of_file_and_key(
    table: str, values: dict[str, Any], complaint: str, tmp_path: Path, small_config: Config
) -> None:
    path = changed(tmp_path, small_config, table, **values)
    with pytest.raises(ConfigError) as error:
        read_config(path)
    assert str(error.value).startswith(f"{path}: ")
    assert complaint in str(error.value)


def test_a_whole_number_may_stand_for_a_fraction(tmp_path: Path, small_config: Config) -> None:
    path = changed(tmp_path, small_config, "optimiser", warmup_epochs=1)
    assert read_config(path).optimiser.warmup_epochs == 1.0
    assert isinstance(read_config(path).optimiser.warmup_epochs, float)


def test_a_table_that_is_a_value_is_refused(tmp_path: Path, small_config: Config) -> None:
    tree = {**tomllib.loads(to_toml(small_config)), "model": 3}
    (tmp_path / "c.toml").write_text(tomli_w.dumps(tree))
    with pytest.raises(ConfigError, match="model must be a table, got 3"):
        read_config(tmp_path / "c.toml")


@pytest.mark.parametrize("content", [None, b"[model", b"\xff"])
def test_a_file_that_is_not_toml_is_refused_by_its_name(
    content: bytes | None, tmp_path: Path
) -> None:
    path = tmp_path / "c.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"c\.toml: expected a TOML configuration"):
        read_config(path)


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("train.n_epochs", "7", 7),
        ("model.cell", "gru", "gru"),
        ("model.cell", '"gru"', "gru"),
        ("model.bidirectional", "false", False),
        ("batching.speeds", "[1.0, 1.1]", (1.0, 1.1)),
        ("optimiser.learning_rate", "2e-3", 0.002),
    ],
)
def test_a_value_is_changed_by_its_dotted_key(
    key: str, text: str, value: object, tmp_path: Path, small_config: Config
) -> None:
    (tmp_path / "c.toml").write_text(to_toml(small_config))
    config = read_config(tmp_path / "c.toml", {key: text})
    table, name = key.split(".")
    assert getattr(getattr(config, table), name) == value


@pytest.mark.parametrize("key", ["n_epochs", "train", "train.epochs", "trian.n_epochs", ""])
def test_a_key_that_is_not_there_cannot_be_changed(
    key: str, tmp_path: Path, small_config: Config
) -> None:
    (tmp_path / "c.toml").write_text(to_toml(small_config))
    with pytest.raises(ConfigError, match=r"no key .* to set"):
        read_config(tmp_path / "c.toml", {key: "1"})


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"train.n_shards": "5"}, r"train\.n_shards must be at most streams\.n_streams \(4\)"),
        ({"train.n_epochs": "0.0"}, r"train\.n_epochs must be positive"),
        ({"streams.chunk_length": "0"}, r"streams\.chunk_length must be at least 1"),
        ({"optimiser.schedule": "plateau"}, r"optimiser\.schedule .* must be 'cosine'"),
        ({"train.precision": "float8"}, r"train\.precision must be one of"),
        ({"model.dropout": "1.0"}, r"model\.dropout must lie in \[0, 1\)"),
    ],
)
def test_a_language_model_that_cannot_be_trained_is_refused(
    change: dict[str, str], complaint: str
) -> None:
    with pytest.raises(ConfigError, match=rf"char_lm\.toml: {complaint}"):
        read_tree(LanguageConfig, LANGUAGE, {"streams.n_streams": "4", **change})


def test_a_codec_that_does_not_know_the_sample_rate_is_refused(small_config: Config) -> None:
    features = dataclasses.replace(small_config.features, sample_rate=20000)

    with pytest.raises(ConfigError, match=r"does not go with batching\.codec_share: MP3 has"):
        dataclasses.replace(small_config, features=features)


def test_a_warp_of_frequencies_needs_frequencies(small_config: Config) -> None:
    features = dataclasses.replace(small_config.features, delta_order=1)

    with pytest.raises(ConfigError, match=r"spec_augment\.max_frequency_warp needs log-mel"):
        dataclasses.replace(small_config, features=features)


def test_a_loss_behind_a_middle_layer_needs_one(small_config: Config) -> None:
    train = dataclasses.replace(small_config.train, middle_weight=0.3)

    with pytest.raises(ConfigError, match=r"train\.middle_weight .* at least 2, got 1"):
        dataclasses.replace(small_config, train=train)


def test_a_last_layer_that_would_never_join_in_is_refused(small_config: Config) -> None:
    model = dataclasses.replace(small_config.model, n_layers=3)
    growing = dataclasses.replace(small_config.train, grow_epochs=2, n_epochs=4)

    with pytest.raises(ConfigError, match=r"train\.grow_epochs is 2: the last of 3 layers"):
        dataclasses.replace(small_config, model=model, train=growing)
    grown = dataclasses.replace(growing, n_epochs=5)
    dataclasses.replace(small_config, model=model, train=grown)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("label_smoothing", 1.0),
        ("label_smoothing", -0.1),
        ("middle_weight", 1.0),
        ("middle_weight", -0.1),
        ("grow_epochs", -1),
        ("crf_weight", 0.5),  # without phones
    ],
)
def test_a_share_or_a_number_of_epochs_that_is_none_is_refused(
    small_config: Config, key: str, value: float
) -> None:
    with pytest.raises(ConfigError, match=rf"train\.{key} must"):
        dataclasses.replace(small_config.train, **{key: value})  # type: ignore[arg-type]
