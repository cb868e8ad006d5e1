import dataclasses

import pytest

from asr.char_lm.config import LanguageConfig
from asr.errors import ConfigError


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("model.size", 0),
        ("model.n_layers", 0),
        ("model.dropout", 1.0),
        ("streams.n_streams", 0),
        ("streams.chunk_length", 0),
        ("train.n_validations", 0),
        ("train.n_epochs", 0.0),
    ],
)
def test_an_impossible_value_is_refused_by_its_key(
    small_language_config: LanguageConfig, key: str, value: object
) -> None:
    part, name = key.split(".")

    with pytest.raises(ConfigError, match=rf"{key} must"):
        dataclasses.replace(getattr(small_language_config, part), **{name: value})


def test_each_shard_has_a_stream(small_language_config: LanguageConfig) -> None:
    train = dataclasses.replace(small_language_config.train, n_shards=5)

    with pytest.raises(ConfigError, match=r"train\.n_shards must be at most .* \(4\), got 5"):
        dataclasses.replace(small_language_config, train=train)


def test_an_unknown_normaliser_is_refused(small_language_config: LanguageConfig) -> None:
    with pytest.raises(ConfigError, match="normaliser must be one of"):
        dataclasses.replace(small_language_config, normaliser="shouting")
