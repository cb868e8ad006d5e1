"""Reverberation: speech as it sounds in a room.

Early echoes are those of mirrored rooms, one by one; later ones are so many that they are noise.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asr.augment.noise import mean_power

SMALLEST, LARGEST = (2.5, 2.5, 2.2), (10.0, 8.0, 4.0)  # metres, sides of a room, drawn uniformly
T60 = (0.1, 0.8)  # seconds in which the echoes decay by 60 dB, drawn uniformly
DISTANCE = (0.2, 4.0)  # metres from talker to microphone, drawn uniformly where it fits
FROM_WALL = 0.2  # metres that either keeps from the walls, at least
SPEED_OF_SOUND = 343.0  # metres per second
EARLY_SECONDS = 0.05  # after the direct path; later echoes are noise
N_ROOMS = 256


@dataclass(frozen=True, slots=True, eq=False)
class Room:
    """A room without furniture, with a talker and a microphone.

    Attributes:
        size: (3,) metres.
        talker: (3,) metres.
        microphone: (3,) metres.
        t60: Seconds.
    """

    size: NDArray[np.float64]
    talker: NDArray[np.float64]
    microphone: NDArray[np.float64]
    t60: float

    @property
    def volume(self) -> float:
        """Cubic metres."""
        return float(self.size.prod())

    @property
    def distance(self) -> float:
        """Metres from the talker to the microphone."""
        return float(np.linalg.norm(self.talker - self.microphone))

    @property
    def reflection(self) -> float:
        """Pressure that a wall reflects, so that T60 comes out, by Eyring's formula: -1 to 0.

        Negative, as in Lehmann and Johansson, so that the echoes do not add up to an offset.
        """
        x, y, z = self.size
        surface = 2 * (x * y + y * z + z * x)
        absorbed = 24 * np.log(10) / SPEED_OF_SOUND * self.volume / (surface * self.t60)
        return -float(np.exp(-absorbed / 2))


def reverberate(
    waveform: NDArray[np.float32], responses: Sequence[NDArray[np.float32]], seed: int
) -> NDArray[np.float32]:
    """Play a waveform, (N,), in a random room.

    Returns:
        (N,), without delay, of the same power. Echoes after the end are cut off.
    """
    rng = np.random.default_rng(seed)
    played = convolve(waveform, responses[int(rng.integers(len(responses)))])
    gain = (mean_power(waveform) / max(mean_power(played), 1e-12)) ** 0.5
    return played * np.float32(gain)


def convolve(waveform: NDArray[np.float32], response: NDArray[np.float32]) -> NDArray[np.float32]:
    """Convolve (N,) with (M,); return the first N samples. Block by block, which is fastest."""
    n_before = len(response) - 1
    n_fft = 1 << max(12, (3 * n_before).bit_length())
    n_new = n_fft - n_before
    n_blocks = -(-len(waveform) // n_new)
    padded = np.pad(waveform, (n_before, n_blocks * n_new - len(waveform)))
    blocks = np.lib.stride_tricks.sliding_window_view(padded, n_fft)[::n_new]
    spectra = np.fft.rfft(blocks) * np.fft.rfft(response, n_fft)
    played = np.fft.irfft(spectra, n_fft)[:, n_before:].reshape(-1)[: len(waveform)]
    return played.astype(np.float32)


def room_responses(sample_rate: int, seed: int) -> list[NDArray[np.float32]]:
    """Make the impulse responses of random rooms, (M,) each."""
    rng = np.random.default_rng(seed)
    return [room_response(draw_room(rng), sample_rate, rng) for _ in range(N_ROOMS)]


def draw_room(rng: np.random.Generator) -> Room:
    """Draw a room, and a talker and a microphone in it."""
    while True:
        size = rng.uniform(SMALLEST, LARGEST)
        microphone = rng.uniform(FROM_WALL, size - FROM_WALL)
        direction = rng.standard_normal(3)
        direction *= rng.uniform(*DISTANCE) / np.linalg.norm(direction)
        talker = microphone + direction
        if (talker >= FROM_WALL).all() and (talker <= size - FROM_WALL).all():
            return Room(size, talker, microphone, rng.uniform(*T60))


def room_response(room: Room, sample_rate: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Compute a room's impulse response, (T60 * sample_rate,): the direct path, 1, then echoes.

    References:
        Allen and Berkley, "Image method for efficiently simulating small-room acoustics", JASA
        65(4), 1979. Late echoes as noise: Lehmann and Johansson, "Diffuse reverberation model for
        efficient image-source simulation of room impulse responses", IEEE TASLP 18(6), 2010.
    """
    n_samples = round(room.t60 * sample_rate)
    n_early = min(n_samples, round(EARLY_SECONDS * sample_rate))
    samples, pressures = _images(room, sample_rate, n_early)
    response = np.zeros(n_samples, dtype=np.float32)
    response[:n_early] = np.bincount(samples, pressures, n_early)
    seconds = np.arange(n_early, n_samples) / sample_rate + room.distance / SPEED_OF_SOUND
    metres = SPEED_OF_SOUND / sample_rate  # that sound goes in a sample
    # mirrored rooms have one talker per volume, each as loud as 1 / distance
    power = 4 * np.pi * room.distance**2 * metres / room.volume * 10 ** (-6 * seconds / room.t60)
    response[n_early:] = np.sqrt(power) * rng.standard_normal(n_samples - n_early)
    return response


def _images(
    room: Room, sample_rate: int, n_samples: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """List when, in samples after the direct path, each mirrored talker is heard, and how loud."""
    radius = room.distance + n_samples / sample_rate * SPEED_OF_SOUND
    squares: NDArray[np.float64] = np.zeros(1)
    n_walls: NDArray[np.int64] = np.zeros(1, dtype=np.int64)
    for side, talker, microphone in zip(room.size, room.talker, room.microphone, strict=True):
        reach = int(radius / (2 * side)) + 1
        room_number, is_mirrored = np.meshgrid(np.arange(-reach, reach + 1), [0, 1])
        along = (1 - 2 * is_mirrored) * talker + 2 * room_number * side - microphone
        walls = abs(room_number - is_mirrored) + abs(room_number)
        squares = np.add.outer(squares, np.square(along).ravel()).ravel()
        n_walls = np.add.outer(n_walls, walls.ravel()).ravel()
        near = squares < radius**2
        squares, n_walls = squares[near], n_walls[near]
    distances = np.sqrt(squares)
    samples = np.rint((distances - room.distance) / SPEED_OF_SOUND * sample_rate).astype(np.int64)
    pressures = room.distance / distances * room.reflection**n_walls
    heard = samples < n_samples
    return samples[heard], pressures[heard]
