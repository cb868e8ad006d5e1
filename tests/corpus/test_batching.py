"""Batches cover the corpus, fit, change from epoch to epoch, and follow from their seed alone."""

import dataclasses
import random
import subprocess
import sys
from collections import Counter
from itertools import pairwise

import pytest

from asr.augment.codec import MP3_SETTINGS
from asr.corpus.batching import AS_RECORDED, BatchingConfig, draw_renditions, plan_batches
from asr.errors import ConfigError

DURATIONS = [round(random.Random(index).uniform(1, 16), 2) for index in range(500)]


def config(
    *, batch_duration: float = 100.0, speeds: tuple[float, ...] = (1.0,), seed: int = 0
) -> BatchingConfig:
    return BatchingConfig(
        batch_duration=batch_duration,
        speeds=speeds,
        sorted_first=False,
        codec_share=0.0,
        noise_share=0.0,
        reverb_share=0.0,
        ramp_epochs=0,
        seed=seed,
    )


def companions(batches: list[list[int]]) -> set[frozenset[int]]:
    return {frozenset(batch) for batch in batches}


@pytest.mark.parametrize("epoch", range(4))
@pytest.mark.parametrize("sorted_first", [False, True])
def test_every_utterance_is_in_exactly_one_batch(epoch: int, sorted_first: bool) -> None:
    batches = plan_batches(DURATIONS, 100.0, 0, epoch, sorted_first=sorted_first)

    assert sorted(index for batch in batches for index in batch) == list(range(500))


@pytest.mark.parametrize("batch_duration", [16.0, 50.0, 100.0, 1000.0])
def test_no_batch_lasts_longer_than_allowed_padding_included(batch_duration: float) -> None:
    for epoch in range(3):
        for batch in plan_batches(DURATIONS, batch_duration, 0, epoch):
            assert max(DURATIONS[index] for index in batch) * len(batch) <= batch_duration


def test_a_batch_is_as_full_as_the_next_utterance_lets_it_be() -> None:
    assert plan_batches([1.0] * 10, 5.0, 0, 0, sorted_first=True) == [
        [0, 1, 2, 3, 4],
        [5, 6, 7, 8, 9],
    ]
    assert plan_batches([1.0, 2.0, 3.0, 4.0], 6.0, 0, 0, sorted_first=True) == [[0, 1], [2], [3]]


def test_an_utterance_that_is_too_long_is_a_batch_alone() -> None:
    batches = plan_batches([3.0, 50.0, 3.1, 60.0], 10.0, 0, 1)

    assert companions(batches) == {frozenset({0, 2}), frozenset({1}), frozenset({3})}


def test_the_same_seed_and_epoch_give_the_same_batches() -> None:
    assert plan_batches(DURATIONS, 100.0, 7, 3) == plan_batches(DURATIONS, 100.0, 7, 3)


def test_the_batches_are_the_same_in_another_process() -> None:
    code = (
        "import random; from asr.corpus.batching import plan_batches;"
        "durations = [round(random.Random(index).uniform(1, 16), 2) for index in range(500)];"
        "print(plan_batches(durations, 100.0, 7, 3))"
    )

    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONHASHSEED": "99", "PYTHONPATH": ":".join(sys.path)},
    )

    assert run.stdout.strip() == str(plan_batches(DURATIONS, 100.0, 7, 3))


@pytest.mark.parametrize(("seed", "epoch"), [(0, 2), (1, 1)])
def test_another_seed_or_epoch_gives_another_order_and_other_companions(
    seed: int, epoch: int
) -> None:
    one = plan_batches(DURATIONS, 100.0, 0, 1)
    other = plan_batches(DURATIONS, 100.0, seed, epoch)

    assert len(companions(one) & companions(other)) < len(one) / 10
    assert one[0] != other[0]


def test_padding_stays_below_a_tenth() -> None:
    batches = plan_batches(DURATIONS, 100.0, 0, 1)

    padded = sum(max(DURATIONS[index] for index in batch) * len(batch) for batch in batches)
    assert sum(DURATIONS) <= padded < 1.1 * sum(DURATIONS)


def test_long_and_short_batches_alternate_by_chance() -> None:
    batches = plan_batches(DURATIONS, 100.0, 0, 1)

    longest = [max(DURATIONS[index] for index in batch) for batch in batches]
    n_rises = sum(one < other for one, other in pairwise(longest))
    assert len(batches) / 4 < n_rises < 3 * len(batches) / 4


def test_the_first_epoch_can_go_from_short_to_long() -> None:
    batches = plan_batches(DURATIONS, 100.0, 0, 0, sorted_first=True)

    in_order = [DURATIONS[index] for batch in batches for index in batch]
    assert in_order == sorted(DURATIONS)


def test_later_epochs_are_the_same_whether_the_first_was_sorted() -> None:
    assert plan_batches(DURATIONS, 100.0, 0, 1, sorted_first=True) == plan_batches(
        DURATIONS, 100.0, 0, 1, sorted_first=False
    )


def test_no_utterances_make_no_batches() -> None:
    assert plan_batches([], 100.0, 0, 0) == []


def test_speeds_are_drawn_evenly() -> None:
    renditions = draw_renditions(3000, config(speeds=(0.9, 1.0, 1.1)), epoch=0)

    counts = Counter(rendition.speed for rendition in renditions)
    assert set(counts) == {0.9, 1.0, 1.1}
    assert all(900 < count < 1100 for count in counts.values())


def test_renditions_follow_from_seed_and_epoch() -> None:
    batching = dataclasses.replace(config(speeds=(0.9, 1.0, 1.1)), codec_share=0.5)
    drawn = draw_renditions(100, batching, epoch=1)

    assert drawn == draw_renditions(100, batching, epoch=1)
    assert drawn != draw_renditions(100, batching, epoch=2)
    assert drawn != draw_renditions(100, dataclasses.replace(batching, seed=1), epoch=1)


def test_one_speed_and_no_codec_leave_nothing_to_draw() -> None:
    assert draw_renditions(3, config(speeds=(1.0,)), epoch=5) == [AS_RECORDED] * 3


def test_codecs_take_their_share_and_each_utterance_has_one_setting() -> None:
    batching = dataclasses.replace(config(), codec_share=0.5)

    epochs = [draw_renditions(2000, batching, epoch) for epoch in range(3)]

    settings = [{r.codec for r in met} - {None} for met in zip(*epochs, strict=True)]
    assert 900 < sum(rendition.codec is not None for rendition in epochs[0]) < 1100
    assert all(len(mine) <= 1 for mine in settings)
    assert set().union(*settings) == set(range(len(MP3_SETTINGS)))


@pytest.mark.parametrize(("key", "field"), [("noise_share", "noise"), ("reverb_share", "room")])
def test_noise_and_rooms_take_their_share_and_change_nothing_else(key: str, field: str) -> None:
    speeds = config(speeds=(0.9, 1.0, 1.1))
    plain = dataclasses.replace(speeds, codec_share=0.5)
    batching = dataclasses.replace(plain, **{key: 0.3})  # type: ignore[arg-type]

    renditions = draw_renditions(2000, batching, epoch=1)

    n_drawn = sum(getattr(rendition, field) is not None for rendition in renditions)
    assert 500 < n_drawn < 700
    without = [dataclasses.replace(r, noise=None, room=None) for r in renditions]
    assert without == draw_renditions(2000, plain, epoch=1)


def test_an_utterance_has_few_renditions_over_all_epochs_and_each_its_own_noise() -> None:
    batching = dataclasses.replace(
        config(speeds=(0.9, 1.1)), codec_share=0.5, noise_share=0.5, reverb_share=0.5
    )

    epochs = [draw_renditions(50, batching, epoch) for epoch in range(300)]

    met = [set(mine) for mine in zip(*epochs, strict=True)]
    assert all(len(mine) == 2 * 2 * 2 * 2 for mine in met)
    noises = [{r.noise for r in mine} - {None} for mine in met]
    assert len(set().union(*noises)) == 50 * 2


def test_noise_and_rooms_are_the_same_in_another_process() -> None:
    code = (
        "from asr.corpus.batching import BatchingConfig, draw_renditions;"
        "config = BatchingConfig(1.0, (1.0,), False, 0.0, 1.0, 1.0, 0, 7);"
        "print(draw_renditions(3, config, 3))"
    )
    batching = BatchingConfig(1.0, (1.0,), False, 0.0, 1.0, 1.0, 0, 7)

    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONHASHSEED": "99", "PYTHONPATH": ":".join(sys.path)},
    )

    assert run.stdout.strip() == str(draw_renditions(3, batching, 3))


@pytest.mark.parametrize("key", ["codec_share", "noise_share", "reverb_share"])
@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_that_is_none_is_refused(key: str, share: float) -> None:
    with pytest.raises(ConfigError, match=rf"batching\.{key} must be within 0\.\.1"):
        dataclasses.replace(config(), **{key: share})  # type: ignore[arg-type]


@pytest.mark.parametrize("batch_duration", [0.0, -1.0, float("nan")])
def test_a_batch_without_length_is_refused(batch_duration: float) -> None:
    with pytest.raises(ConfigError, match=r"batching\.batch_duration must be above 0 s"):
        config(batch_duration=batch_duration)


@pytest.mark.parametrize("speeds", [(), (0.0,), (1.0, -0.9)])
def test_speeds_that_are_none_are_refused(speeds: tuple[float, ...]) -> None:
    with pytest.raises(ConfigError, match=r"batching\.speeds must be one or more, each above 0"):
        config(speeds=speeds)


def test_codecs_masks_and_dropout_grow_to_their_full_measure() -> None:
    batching = dataclasses.replace(config(), codec_share=0.8, ramp_epochs=4)

    strengths = [batching.strength(epoch) for epoch in range(6)]
    shares = [
        sum(rendition.codec is not None for rendition in draw_renditions(5000, batching, epoch))
        for epoch in (0, 2, 4)
    ]

    assert strengths == [0.0, 0.25, 0.5, 0.75, 1.0, 1.0]
    assert shares[0] == 0
    assert abs(shares[1] - 2000) < 150
    assert abs(shares[2] - 4000) < 150
