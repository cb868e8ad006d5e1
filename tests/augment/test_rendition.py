"""Renditions take their share, follow from seed and epoch, and say whether they may return."""

import dataclasses
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from asr.augment.codec import MP3_LEVELS
from asr.augment.config import AugmentConfig
from asr.augment.noise import mean_power
from asr.augment.rendition import AS_RECORDED, Rendition, draw_renditions, render
from asr.augment.surroundings import Surroundings
from asr.config import Config, read_tree

RATE = 16000
SPEECH = (0.1 * np.random.default_rng(0).standard_normal(RATE)).astype(np.float32)
NOTHING = read_tree(Config, Path(__file__).parents[2] / "conf" / "tiny.toml").augment
SHARES = {  # with what each of them sets
    "reverb_share": "room",
    "silence_share": "silence",
    "noise_share": "noise",
    "babble_share": "babble",
    "level_share": "level",
    "telephone_share": "is_telephone",
    "codec_share": "codec",
    "join_share": "joined",
    "no_speech_share": "no_speech",
}
RECORDED = [
    Rendition(tempo=1.1, is_telephone=True),
    Rendition(tempo=0.9, room=2159164857, level=975606213, is_telephone=True, no_speech=1822621054),
]


def config(**changes: object) -> AugmentConfig:
    return dataclasses.replace(NOTHING, **changes)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def surroundings() -> Surroundings:
    shares = config(noise_share=0.1, babble_share=0.1, reverb_share=0.1)
    return Surroundings.make(shares, RATE, 1, lambda: [SPEECH])


@pytest.mark.parametrize(("key", "field"), [("speeds", "speed"), ("tempos", "tempo")])
def test_factors_are_drawn_evenly(key: str, field: str) -> None:
    renditions = draw_renditions(3000, config(**{key: (0.9, 1.0, 1.1)}), seed=0, epoch=0)

    counts = Counter(getattr(rendition, field) for rendition in renditions)
    assert set(counts) == {0.9, 1.0, 1.1}
    assert all(900 < count < 1100 for count in counts.values())


@pytest.mark.parametrize(("key", "field"), SHARES.items())
def test_each_takes_its_share_and_changes_nothing_else(key: str, field: str) -> None:
    others = {name: 0.4 for name in SHARES if name != key}
    before = config(speeds=(0.9, 1.1), tempos=(0.9, 1.1), **others)
    after = dataclasses.replace(before, **{key: 0.3})  # type: ignore[arg-type]

    drawn, without = (draw_renditions(3000, c, seed=0, epoch=1) for c in (after, before))

    neutral = getattr(AS_RECORDED, field)
    n_drawn = sum(getattr(rendition, field) != neutral for rendition in drawn)
    assert 800 < n_drawn < 1000
    if key in {"telephone_share", "codec_share"}:  # which exclude each other
        drawn, without = (
            [dataclasses.replace(r, codec=None, is_telephone=False) for r in some]
            for some in (drawn, without)
        )
    assert [dataclasses.replace(r, **{field: neutral}) for r in drawn] == without


def test_no_utterance_goes_over_the_telephone_and_through_a_codec() -> None:
    drawn = draw_renditions(3000, config(telephone_share=0.4, codec_share=0.6), seed=0, epoch=1)

    assert all(r.is_telephone != (r.codec is not None) for r in drawn)


def test_renditions_follow_from_seed_and_epoch() -> None:
    augment = config(speeds=(0.9, 1.0, 1.1), noise_share=0.5)
    drawn = draw_renditions(100, augment, seed=0, epoch=1)

    assert drawn == draw_renditions(100, augment, seed=0, epoch=1)
    assert drawn != draw_renditions(100, augment, seed=0, epoch=2)
    assert drawn != draw_renditions(100, augment, seed=1, epoch=1)


def test_renditions_are_those_that_were_drawn_on_another_machine() -> None:
    """Recorded when tempos were introduced: what is drawn belongs to a training's bits."""
    shares = dict.fromkeys(SHARES, 0.4)

    drawn = draw_renditions(2, config(tempos=(0.9, 1.1), **shares), seed=7, epoch=3)

    assert drawn == RECORDED


def test_noise_is_new_in_every_epoch_and_the_codec_the_same() -> None:
    augment = config(codec_share=0.5, noise_share=0.5)

    epochs = [draw_renditions(500, augment, seed=0, epoch=epoch) for epoch in range(20)]

    met = list(zip(*epochs, strict=True))
    codecs = [{r.codec for r in mine} - {None} for mine in met]
    noises = [r.noise for mine in met for r in mine if r.noise is not None]
    assert all(len(mine) == 1 for mine in codecs)
    assert set().union(*codecs) == set(range(len(MP3_LEVELS)))
    assert len(set(noises)) > 0.99 * len(noises)


def test_only_what_has_no_seed_and_no_telephone_returns() -> None:
    assert Rendition(speed=0.9, tempo=1.1, codec=1).returns
    for field in set(SHARES.values()) - {"codec"}:
        assert not dataclasses.replace(AS_RECORDED, **{field: 1}).returns  # type: ignore[arg-type]


def test_shares_grow_to_their_full_size() -> None:
    augment = config(codec_share=0.8, ramp_epochs=4)

    shares = [
        sum(r.codec is not None for r in draw_renditions(5000, augment, seed=0, epoch=epoch))
        for epoch in (0, 2, 4)
    ]

    assert shares[0] == 0
    assert abs(shares[1] - 2000) < 150
    assert abs(shares[2] - 4000) < 150


def test_as_recorded_changes_no_bit() -> None:
    assert np.array_equal(render([SPEECH], RATE, AS_RECORDED), SPEECH)


@pytest.mark.parametrize(
    "rendition",
    [
        Rendition(speed=0.9),
        Rendition(room=1),
        Rendition(noise=1),
        Rendition(babble=1),
        Rendition(level=1),
        Rendition(is_telephone=True),
        Rendition(codec=1),
    ],
)
def test_each_part_of_a_rendition_changes_the_sound(
    rendition: Rendition, surroundings: Surroundings
) -> None:
    before = SPEECH.copy()

    played = render([SPEECH], RATE, rendition, surroundings)

    assert len(played) == round(RATE / rendition.speed)
    assert not np.array_equal(played[:RATE], SPEECH)
    assert np.array_equal(SPEECH, before)


def test_a_rendition_lasts_as_long_as_it_says(surroundings: Surroundings) -> None:
    rendition = Rendition(speed=0.9, tempo=1.1, silence=5)

    n_samples = len(render([SPEECH], RATE, rendition, surroundings))

    assert n_samples / RATE / 1.1 == pytest.approx(rendition.duration(1.0), abs=1e-3)


def test_noise_is_relative_to_speech_however_long_the_pauses(surroundings: Surroundings) -> None:
    quiet, loud = Rendition(silence=5), Rendition(silence=5, noise=8)

    without, noisy = (render([SPEECH], RATE, r, surroundings) for r in (quiet, loud))

    short = render([SPEECH], RATE, Rendition(noise=8), surroundings)
    assert mean_power(noisy - without) == pytest.approx(mean_power(short - SPEECH), rel=0.2)


def test_joined_utterances_are_as_long_as_was_foretold(surroundings: Surroundings) -> None:
    rendition = Rendition(joined=5, speed=0.9, silence=3)
    other = SPEECH[: RATE // 2]

    played = render([SPEECH, other], RATE, rendition, surroundings)

    assert abs(len(played) / RATE - rendition.duration(1.0, 0.5)) < 0.001
    assert rendition.duration(1.0, 0.5) > rendition.duration(1.0) + 0.5 / 0.9


def test_another_utterance_follows_speech_only() -> None:
    drawn = [Rendition(joined=seed).follower(10) for seed in range(500)]

    assert set(drawn) == set(range(10))
    assert AS_RECORDED.follower(10) is None
    assert Rendition(joined=1, no_speech=2).follower(10) is None
