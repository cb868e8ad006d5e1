"""Renditions: how an utterance is varied in an epoch, drawn at random and applied."""

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from asr.augment.codec import MP3_SETTINGS, through_mp3
from asr.augment.config import AugmentConfig
from asr.augment.noise import add_noise
from asr.augment.reverberation import reverberate
from asr.augment.silence import add_silence, silence_seconds
from asr.augment.speed import change_speed


@dataclass(frozen=True, slots=True)
class Rendition:
    """How an utterance is varied in an epoch.

    Attributes:
        speed: Factor of `change_speed`; the duration is divided by it.
        codec: Setting of `through_mp3`; None: no codec.
        noise: Seed of `add_noise`; None: no noise.
        room: Seed of `reverberate`; None: no room.
        silence: Seed of `add_silence`; None: no pauses.
    """

    speed: float = 1.0
    codec: int | None = None
    noise: int | None = None
    room: int | None = None
    silence: int | None = None

    def duration(self, recorded: float) -> float:
        """Return the seconds that an utterance lasts, from those that it lasts as recorded."""
        pauses = silence_seconds(self.silence) if self.silence is not None else (0.0, 0.0)
        return recorded / self.speed + sum(pauses)


AS_RECORDED = Rendition()


def draw_renditions(
    n_utterances: int, config: AugmentConfig, *, seed: int, epoch: int
) -> list[Rendition]:
    """Draw the rendition of each utterance in an epoch.

    Whether an utterance gets a codec, noise, a room or pauses is drawn anew in each epoch; the
    codec's setting is drawn once for all epochs, the others once per speed. So an utterance has few
    renditions, whose features can be cached: two per speed with codecs alone, 16 with all four.
    """
    setting = random.Random(f"codec settings {seed}").random
    settings = [int(setting() * len(MP3_SETTINGS)) for _ in range(n_utterances)]
    draw = random.Random(f"renditions {seed} {epoch}").random
    strength = config.strength(epoch)
    plain = [
        Rendition(
            speed=config.speeds[int(draw() * len(config.speeds))],
            codec=settings[i] if draw() < config.codec_share * strength else None,
        )
        for i in range(n_utterances)
    ]
    noises = _draw_seeds("noise", strength * config.noise_share, plain, seed, epoch)
    rooms = _draw_seeds("room", strength * config.reverb_share, plain, seed, epoch)
    silences = _draw_seeds("silence", strength * config.silence_share, plain, seed, epoch)
    return [
        replace(rendition, noise=noise, room=room, silence=silence)
        for rendition, noise, room, silence in zip(plain, noises, rooms, silences, strict=True)
    ]


def render(waveform: Tensor, sample_rate: int, rendition: Rendition) -> Tensor:
    """Apply a rendition to a waveform, (N,) float32 at `sample_rate` Hz."""
    waveform = change_speed(waveform, sample_rate, rendition.speed)
    if rendition.room is not None:
        waveform = reverberate(waveform, sample_rate, rendition.room)
    if rendition.silence is not None:
        waveform = add_silence(waveform, sample_rate, rendition.silence)
    if rendition.noise is not None:
        waveform = add_noise(waveform, sample_rate, rendition.noise)
    if rendition.codec is not None:
        waveform = through_mp3(waveform, sample_rate, rendition.codec)
    return waveform


def _draw_seeds(
    what: str, share: float, renditions: Sequence[Rendition], seed: int, epoch: int
) -> list[int | None]:
    """Draw which utterances get it in an epoch; the seed follows from utterance and speed."""
    draw = random.Random(f"{what} {seed} {epoch}").random
    return [
        _seed(f"{what} {seed} {i} {rendition.speed}") if draw() < share else None
        for i, rendition in enumerate(renditions)
    ]


def _seed(words: str) -> int:
    """Turn a seed in words into one of 32 bits, the same on every machine."""
    return int.from_bytes(hashlib.sha256(words.encode()).digest()[:4])
