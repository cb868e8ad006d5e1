import numpy as np
import pytest
from numpy.typing import NDArray

from asr.augment.noise import mean_power
from asr.augment.reverberation import (
    DISTANCE,
    EARLY_SECONDS,
    FROM_WALL,
    SPEED_OF_SOUND,
    T60,
    Room,
    convolve,
    draw_room,
    reverberate,
    room_response,
    room_responses,
)

RATE = 16000


def rooms(n_rooms: int) -> list[tuple[Room, NDArray[np.float64]]]:
    """Random rooms with their responses."""
    rng = np.random.default_rng(3)
    drawn = [draw_room(rng) for _ in range(n_rooms)]
    return [(room, room_response(room, RATE, rng).astype(np.float64)) for room in drawn]


def speech(n_samples: int = RATE) -> NDArray[np.float32]:
    return (0.1 * np.random.default_rng(0).standard_normal(n_samples)).astype(np.float32)


def measured_t60(response: NDArray[np.float64]) -> float:
    """Extrapolate the decay from -5 to -35 dB, by Schroeder's integration, without direct path."""
    left = np.cumsum(np.square(response[:0:-1]))[::-1]
    level = 10 * np.log10(left / left[0])
    start, end = np.argmax(level < -5), np.argmax(level < -35)
    slope = np.polyfit(np.arange(start, end) / RATE, level[start:end], 1)[0]
    return float(-60 / slope)


def test_echoes_decay_as_the_room_says() -> None:
    """Early and late echoes are made in different ways, and must be of one piece."""
    measured = [(measured_t60(response), room.t60) for room, response in rooms(100)]

    ratios = [mine / wanted for mine, wanted in measured]
    assert np.median(ratios) == pytest.approx(1.0, abs=0.02)
    assert 0.85 < min(ratios) < max(ratios) < 1.15


def test_direct_path_and_echoes_have_their_shares_of_energy() -> None:
    """Those of diffuse sound: 16 pi d² / A, less what decays before the direct path arrives."""
    errors = []
    for room, response in rooms(100):
        decayed = 10 ** (-6 * room.distance / SPEED_OF_SOUND / room.t60)
        absorption = 24 * np.log(10) * room.volume / SPEED_OF_SOUND / room.t60
        expected = 16 * np.pi * room.distance**2 / absorption * decayed
        errors.append(10 * np.log10(np.square(response[1:]).sum() / expected))

    assert np.median(errors) == pytest.approx(0.0, abs=1.0)
    assert np.std(errors) < 3


def test_the_first_echo_is_where_the_nearest_mirror_image_is() -> None:
    talker, microphone = np.array([2.0, 3.0, 0.5]), np.array([3.0, 3.0, 0.5])
    room = Room(np.array([6.0, 6.0, 4.0]), talker, microphone, t60=0.6)

    response = room_response(room, RATE, np.random.default_rng(0))

    by_the_floor = np.hypot(1.0, 1.0)
    first, second = np.flatnonzero(response)[:2]
    assert (first, response[0]) == (0, 1.0)
    assert second == round((by_the_floor - 1.0) / SPEED_OF_SOUND * RATE)
    assert response[second] == pytest.approx(room.reflection / by_the_floor)


def test_rooms_are_as_drawn() -> None:
    drawn = [draw_room(np.random.default_rng(seed)) for seed in range(500)]

    t60, distances = [room.t60 for room in drawn], [room.distance for room in drawn]
    assert T60[0] < min(t60) < T60[0] + 0.02 < T60[1] - 0.02 < max(t60) < T60[1]
    assert DISTANCE[0] < min(distances) < 0.3
    assert 3.5 < max(distances) < DISTANCE[1]
    for room in drawn:
        for place in (room.talker, room.microphone):
            assert (place >= FROM_WALL).all()
            assert (room.size - place >= FROM_WALL).all()


@pytest.mark.parametrize(("n_samples", "n_response"), [(1, 1), (5, 3), (3, 5), (9000, 2500)])
def test_convolution_is_the_sum_that_defines_it(n_samples: int, n_response: int) -> None:
    waveform, response = speech(n_samples), speech(n_response)

    played = convolve(waveform, response)

    expected = np.convolve(waveform.astype(np.float64), response)[:n_samples]
    assert played == pytest.approx(expected, abs=1e-5)


def test_level_length_and_time_stay() -> None:
    waveform = np.pad(speech(100), (500, RATE))
    responses = room_responses(RATE, seed=1)

    for seed in range(5):
        played = reverberate(waveform, responses, seed)
        assert played.shape == waveform.shape
        assert played.dtype == np.float32
        assert mean_power(played) == pytest.approx(mean_power(waveform), rel=1e-4)
        assert abs(played[:500]).max() < 1e-5
        assert abs(played[500]) > 1e-3


def test_responses_follow_from_the_seed() -> None:
    first, again, other = (room_responses(RATE, seed) for seed in (1, 1, 2))

    assert all(np.array_equal(one, same) for one, same in zip(first, again, strict=True))
    assert not np.array_equal(first[0], other[0])
    assert all(len(response) >= EARLY_SECONDS * RATE for response in first)


@pytest.mark.parametrize("n_samples", [1, 2, 3, 16001])
def test_silence_stays_silent_whatever_its_length(n_samples: int) -> None:
    silence = np.zeros(n_samples, dtype=np.float32)

    assert np.array_equal(reverberate(silence, [speech(3000)], 0), silence)
