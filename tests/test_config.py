"""Configurations: complete, checked by name, and the same after a round trip."""

import dataclasses
import math
import tomllib
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from asr.checkpoint.network import build
from asr.config import Config, config_hash, read_tree, to_toml
from asr.errors import ConfigError
from asr.features.front_end import FrontEnd
from asr.text.tokens import TokenTable
from asr.train.config import CtcCrfConfig
from tests.conftest import make_config

CONF = Path(__file__).parent.parent / "conf"
SHIPPED = sorted({*CONF.glob("*.toml")} - {CONF / "char_lm.toml"})


def changed(tmp_path: Path, config: Config, table: str, **values: object) -> Path:
    """A file with some values of a table replaced; None takes the key out."""
    tree: dict[str, Any] = tomllib.loads(to_toml(config))
    tree[table] = {k: v for k, v in {**tree[table], **values}.items() if v is not None}
    path = tmp_path / "changed.toml"
    path.write_text(tomli_w.dumps(tree))
    return path


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_configuration_loads_and_makes_a_model(path: Path) -> None:
    config = read_tree(Config, path)
    checkpoint = build(config, {head: TokenTable.from_text(["A"]) for head in config.heads})
    assert checkpoint.engine.heads == dict.fromkeys(config.heads, 3)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_head_of_a_shipped_configuration_says_how_to_run_it(path: Path) -> None:
    head = path.read_text().split("\n\n")[0]
    assert all(line.startswith("#") for line in head.splitlines())
    recipe, _, _ = path.stem.partition("-")
    assert f"recipes/{recipe}/run.sh" in head
    assert (CONF.parent / "recipes" / recipe / "run.sh").is_file()


def test_a_configuration_reads_back_as_it_was_written(tmp_path: Path, small_config: Config) -> None:
    (tmp_path / "c.toml").write_text(to_toml(small_config))
    assert read_tree(Config, tmp_path / "c.toml") == small_config


def test_the_hash_changes_with_a_value_but_not_with_comments(
    tmp_path: Path, small_config: Config
) -> None:
    (tmp_path / "c.toml").write_text("# a comment\n\n" + to_toml(small_config))
    assert config_hash(read_tree(Config, tmp_path / "c.toml")) == config_hash(small_config)
    assert config_hash(make_config(train__n_epochs=4)) != config_hash(small_config)
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
        ("model", {"cell": "transformer"}, "cell must be one of ('lstm', 'gru', 'rnn'), got"),
        ("optimiser", {"learning_rate": math.inf}, "optimiser.learning_rate must be finite"),
        ("features", {"frame_length": math.nan}, "features.frame_length must be finite"),
        ("augment", {"speeds": 1.0}, "augment.speeds must be a list, got 1.0"),
        ("augment", {"speeds": ["fast"]}, "augment.speeds must be float, got 'fast'"),
    ],
)
def test_what_is_wrong_is_refused_by_the_name_of_file_and_key(
    table: str, values: dict[str, Any], complaint: str, tmp_path: Path, small_config: Config
) -> None:
    path = changed(tmp_path, small_config, table, **values)
    with pytest.raises(ConfigError) as error:
        read_tree(Config, path)
    assert str(error.value).startswith(f"{path}: ")
    assert complaint in str(error.value)


def test_a_whole_number_may_stand_for_a_fraction(tmp_path: Path, small_config: Config) -> None:
    path = changed(tmp_path, small_config, "optimiser", warmup_epochs=1)
    assert read_tree(Config, path).optimiser.warmup_epochs == 1.0
    assert isinstance(read_tree(Config, path).optimiser.warmup_epochs, float)


def test_a_table_that_is_a_value_is_refused(tmp_path: Path, small_config: Config) -> None:
    tree = {**tomllib.loads(to_toml(small_config)), "model": 3}
    (tmp_path / "c.toml").write_text(tomli_w.dumps(tree))
    with pytest.raises(ConfigError, match="model must be a table, got 3"):
        read_tree(Config, tmp_path / "c.toml")


@pytest.mark.parametrize("content", [None, b"[model", b"\xff", b"n = 1" + b"0" * 5000])
def test_a_file_that_is_not_toml_is_refused_by_its_name(
    content: bytes | None, tmp_path: Path
) -> None:
    path = tmp_path / "c.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"c\.toml: expected a TOML configuration"):
        read_tree(Config, path)


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("train.n_epochs", "7", 7),
        ("model.cell", "gru", "gru"),
        ("model.cell", '"gru"', "gru"),
        ("model.bidirectional", "false", False),
        ("augment.speeds", "[1.0, 1.1]", (1.0, 1.1)),
        ("optimiser.learning_rate", "2e-3", 0.002),
    ],
)
def test_a_value_is_changed_by_its_dotted_key(
    key: str, text: str, value: object, tmp_path: Path, small_config: Config
) -> None:
    (tmp_path / "c.toml").write_text(to_toml(small_config))
    config = read_tree(Config, tmp_path / "c.toml", {key: text})
    table, name = key.split(".")
    assert getattr(getattr(config, table), name) == value


@pytest.mark.parametrize("key", ["n_epochs", "train", "train.epochs", "trian.n_epochs", ""])
def test_a_key_that_is_not_there_cannot_be_changed(
    key: str, tmp_path: Path, small_config: Config
) -> None:
    (tmp_path / "c.toml").write_text(to_toml(small_config))
    with pytest.raises(ConfigError, match=r"no key .* to set"):
        read_tree(Config, tmp_path / "c.toml", {key: "1"})


def test_a_codec_that_does_not_know_the_sample_rate_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"does not go with augment\.codec_share: MP3 has"):
        make_config(features__sample_rate=20000)


@pytest.mark.parametrize(
    ("key", "text", "complaint"),
    [
        (
            "objective.text.loss",
            "mmi",
            r"objective\.text\.loss must be one of \('ctc', 'ctc-crf'\)",
        ),
        ("objective.text.loss", "[1]", r"objective\.text\.loss must be one of .* got \[1\]"),
        ("objective.text.weight", "0.0", "weight must be above 0"),
        ("objective.text", "3", r"objective\.text must be a table"),
        ("heads.text.units", "phones", "of units that spell text"),
        ("heads.text.units", "letters", r"heads\.text\.units must be one of"),
    ],
)
def test_heads_and_losses_that_cannot_be_are_refused(
    key: str, text: str, complaint: str, tmp_path: Path, small_config: Config
) -> None:
    (tmp_path / "c.toml").write_text(to_toml(small_config))
    with pytest.raises(ConfigError, match=complaint):
        read_tree(Config, tmp_path / "c.toml", {key: text})


def test_heads_and_losses_name_each_other(small_config: Config) -> None:
    with pytest.raises(ConfigError, match="must name the same heads, got text and "):
        dataclasses.replace(small_config, objective={})


def test_the_name_of_a_head_must_be_fit_for_a_file(small_config: Config) -> None:
    heads = dict.fromkeys(("text", "a/b"), small_config.heads["text"])
    objective = dict.fromkeys(heads, small_config.objective["text"])
    with pytest.raises(ConfigError, match=r"heads\.a/b"):
        dataclasses.replace(small_config, heads=heads, objective=objective)


def test_no_head_is_called_as_another_part_of_the_graph(small_config: Config) -> None:
    heads = dict.fromkeys(("text", "lengths"), small_config.heads["text"])
    objective = dict.fromkeys(heads, small_config.objective["text"])
    with pytest.raises(ConfigError, match=r"heads\.lengths: expected .* none of waveforms"):
        dataclasses.replace(small_config, heads=heads, objective=objective)


def test_each_loss_has_the_keys_of_its_own_kind(tmp_path: Path) -> None:
    crf = CtcCrfConfig(loss="ctc-crf", weight=0.5, denominator_weight=0.9)
    config = make_config(objective={"text": crf})
    (tmp_path / "c.toml").write_text(to_toml(config))

    assert read_tree(Config, tmp_path / "c.toml") == config
    with pytest.raises(ConfigError, match=r"unknown key objective\.text\.denominator_weight"):
        read_tree(Config, tmp_path / "c.toml", {"objective.text.loss": "ctc"})


@pytest.mark.parametrize("sample_rate", [16000, 22050, 44100, 11025])
def test_the_frame_shift_is_that_of_the_frames_themselves(sample_rate: int) -> None:
    """Else windows of a long recording would lose frames, and its words come late."""
    config = make_config(
        features__sample_rate=sample_rate,
        features__frame_shift=0.0125,
        features__high_frequency=5000.0,
        model__subsampling_factor=4,
    )

    n_samples = 4 * FrontEnd(config.features).log_mel.samples_per_shift
    assert config.frame_shift * sample_rate == pytest.approx(n_samples, abs=1e-9)
