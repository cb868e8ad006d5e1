"""Renditions take their share, follow from seed and epoch, and are few per utterance."""

import dataclasses
from collections import Counter

import pytest
import torch

from asr.augment.codec import MP3_SETTINGS
from asr.augment.config import AugmentConfig
from asr.augment.rendition import AS_RECORDED, Rendition, draw_renditions, render


def config(
    *,
    speeds: tuple[float, ...] = (1.0,),
    codec_share: float = 0.0,
    noise_share: float = 0.0,
    reverb_share: float = 0.0,
    silence_share: float = 0.0,
    ramp_epochs: int = 0,
) -> AugmentConfig:
    return AugmentConfig(
        speeds=speeds,
        codec_share=codec_share,
        noise_share=noise_share,
        reverb_share=reverb_share,
        silence_share=silence_share,
        n_frequency_masks=0,
        max_frequency_bins=0,
        time_masks_per_second=0.0,
        max_time_seconds=0.0,
        max_time_fraction=0.0,
        ramp_epochs=ramp_epochs,
    )


def test_speeds_are_drawn_evenly() -> None:
    renditions = draw_renditions(3000, config(speeds=(0.9, 1.0, 1.1)), seed=0, epoch=0)

    counts = Counter(rendition.speed for rendition in renditions)
    assert set(counts) == {0.9, 1.0, 1.1}
    assert all(900 < count < 1100 for count in counts.values())


def test_renditions_follow_from_seed_and_epoch() -> None:
    augment = config(speeds=(0.9, 1.0, 1.1), codec_share=0.5)
    drawn = draw_renditions(100, augment, seed=0, epoch=1)

    assert drawn == draw_renditions(100, augment, seed=0, epoch=1)
    assert drawn != draw_renditions(100, augment, seed=0, epoch=2)
    assert drawn != draw_renditions(100, augment, seed=1, epoch=1)


def test_one_speed_and_no_codec_leave_nothing_to_draw() -> None:
    assert draw_renditions(3, config(), seed=0, epoch=5) == [AS_RECORDED] * 3


def test_codecs_take_their_share_and_each_utterance_has_one_setting() -> None:
    augment = config(codec_share=0.5)

    epochs = [draw_renditions(2000, augment, seed=0, epoch=epoch) for epoch in range(3)]

    settings = [{r.codec for r in met} - {None} for met in zip(*epochs, strict=True)]
    assert 900 < sum(rendition.codec is not None for rendition in epochs[0]) < 1100
    assert all(len(mine) <= 1 for mine in settings)
    assert set().union(*settings) == set(range(len(MP3_SETTINGS)))


@pytest.mark.parametrize(
    ("key", "field"),
    [("noise_share", "noise"), ("reverb_share", "room"), ("silence_share", "silence")],
)
def test_noise_rooms_and_pauses_take_their_share_and_change_nothing_else(
    key: str, field: str
) -> None:
    plain = config(speeds=(0.9, 1.0, 1.1), codec_share=0.5)
    augment = dataclasses.replace(plain, **{key: 0.3})  # type: ignore[arg-type]

    renditions = draw_renditions(2000, augment, seed=0, epoch=1)

    n_drawn = sum(getattr(rendition, field) is not None for rendition in renditions)
    assert 500 < n_drawn < 700
    without = [dataclasses.replace(r, noise=None, room=None, silence=None) for r in renditions]
    assert without == draw_renditions(2000, plain, seed=0, epoch=1)


def test_an_utterance_has_few_renditions_over_all_epochs_and_each_its_own_noise() -> None:
    augment = config(speeds=(0.9, 1.1), codec_share=0.5, noise_share=0.5, reverb_share=0.5)

    epochs = [draw_renditions(50, augment, seed=0, epoch=epoch) for epoch in range(300)]

    met = [set(mine) for mine in zip(*epochs, strict=True)]
    assert all(len(mine) == 2 * 2 * 2 * 2 for mine in met)
    noises = [{r.noise for r in mine} - {None} for mine in met]
    assert len(set().union(*noises)) == 50 * 2


def test_noise_and_rooms_are_those_that_were_drawn_on_another_machine() -> None:
    """Recorded when noise and rooms were introduced: what is drawn belongs to a training's bits."""
    drawn = draw_renditions(3, config(noise_share=1.0, reverb_share=1.0), seed=7, epoch=3)

    assert [(rendition.noise, rendition.room) for rendition in drawn] == [
        (3407776893, 4078402531),
        (1303141579, 1602483454),
        (3276785652, 1399510022),
    ]


def test_codecs_grow_to_their_full_share() -> None:
    augment = config(codec_share=0.8, ramp_epochs=4)

    shares = [
        sum(r.codec is not None for r in draw_renditions(5000, augment, seed=0, epoch=epoch))
        for epoch in (0, 2, 4)
    ]

    assert shares[0] == 0
    assert abs(shares[1] - 2000) < 150
    assert abs(shares[2] - 4000) < 150


def test_as_recorded_changes_no_bit() -> None:
    waveform = torch.randn(1000, generator=torch.Generator().manual_seed(0))

    assert torch.equal(render(waveform, 16000, AS_RECORDED), waveform)


@pytest.mark.parametrize(
    "rendition", [Rendition(speed=0.9), Rendition(codec=1), Rendition(noise=1), Rendition(room=1)]
)
def test_each_part_of_a_rendition_changes_the_sound(rendition: Rendition) -> None:
    waveform = 0.1 * torch.randn(4000, generator=torch.Generator().manual_seed(0))

    played = render(waveform, 16000, rendition)

    assert len(played) == round(4000 / rendition.speed)
    assert not torch.equal(played[:4000], waveform)
