import dataclasses

import pytest

from asr.config import Config
from asr.errors import ConfigError


@pytest.mark.parametrize("key", ["speeds", "tempos"])
@pytest.mark.parametrize("factors", [(), (0.0,), (1.0, -0.9), (float("nan"),)])
def test_factors_that_are_none_are_refused_by_name(
    small_config: Config, key: str, factors: tuple[float, ...]
) -> None:
    with pytest.raises(ConfigError, match=rf"augment\.{key} must be one or more, each above 0"):
        dataclasses.replace(small_config.augment, **{key: factors})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "key",
    [
        *("reverb_share", "silence_share", "noise_share", "babble_share", "level_share"),
        *("telephone_share", "codec_share", "join_share", "no_speech_share"),
        "max_time_fraction",
    ],
)
@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_outside_0_to_1_is_refused_by_name(
    small_config: Config, key: str, share: float
) -> None:
    with pytest.raises(ConfigError, match=rf"augment\.{key} must be at (least 0|most 1)"):
        dataclasses.replace(small_config.augment, **{key: share})  # type: ignore[arg-type]


def test_more_lines_than_utterances_are_refused(small_config: Config) -> None:
    with pytest.raises(ConfigError, match=r"their sum must be at most 1, got 0\.6 \+ 0\.5"):
        dataclasses.replace(small_config.augment, telephone_share=0.6, codec_share=0.5)


@pytest.mark.parametrize(
    "key",
    [
        *("n_frequency_masks", "max_frequency_bins", "time_masks_per_second"),
        *("max_time_seconds", "ramp_epochs"),
    ],
)
def test_less_than_nothing_is_refused_by_name(small_config: Config, key: str) -> None:
    with pytest.raises(ConfigError, match=rf"augment\.{key} must be at least 0, got -1"):
        dataclasses.replace(small_config.augment, **{key: -1})  # type: ignore[arg-type]


def test_the_strength_grows_over_the_ramp(small_config: Config) -> None:
    ramp = dataclasses.replace(small_config.augment, ramp_epochs=4)
    none = dataclasses.replace(small_config.augment, ramp_epochs=0)

    assert [ramp.strength(epoch) for epoch in range(6)] == [0.0, 0.25, 0.5, 0.75, 1.0, 1.0]
    assert none.strength(0) == 1.0
