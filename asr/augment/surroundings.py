"""Surroundings: the noises and rooms of a training, made once and drawn from in every epoch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from asr.augment.config import AugmentConfig
from asr.augment.noise import babble_loops, noise_loops
from asr.augment.reverberation import room_responses

Waveforms = Sequence[NDArray[np.float32]]


@dataclass(frozen=True, slots=True, eq=False)
class Surroundings:
    """What there is around speech: at 16 kHz some 60 MB.

    Attributes:
        noise: (K, L) float32, loops of mean power 1, from white to brown.
        babble: (K, L) float32, loops of mean power 1, of several voices at once.
        rooms: Impulse responses, (M,) float32 each.
    """

    noise: NDArray[np.float32]
    babble: NDArray[np.float32]
    rooms: Waveforms

    @classmethod
    def make(
        cls,
        config: AugmentConfig,
        sample_rate: int,
        seed: int,
        speech: Callable[[], Waveforms],
    ) -> Self:
        """Make what the configuration has a share for.

        Args:
            config: Of which only the shares matter.
            sample_rate: Hz.
            seed: The only source of randomness, at least 0.
            speech: Returns the utterances that babble is mixed from; called if there is any.
        """
        nothing = NO_SURROUNDINGS
        needs_noise = config.noise_share > 0 or config.silence_share > 0
        return cls(
            noise=noise_loops(sample_rate, seed) if needs_noise else nothing.noise,
            babble=babble_loops(speech(), seed) if config.babble_share > 0 else nothing.babble,
            rooms=room_responses(sample_rate, seed) if config.reverb_share > 0 else nothing.rooms,
        )


NO_LOOPS = np.zeros((0, 0), dtype=np.float32)
NO_SURROUNDINGS = Surroundings(noise=NO_LOOPS, babble=NO_LOOPS, rooms=())
