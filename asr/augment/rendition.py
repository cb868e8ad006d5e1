"""Renditions: how an utterance is varied in an epoch, drawn at random and applied."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asr.augment.codec import MP3_LEVELS, through_mp3
from asr.augment.config import AugmentConfig
from asr.augment.joining import follower, gap_seconds, join
from asr.augment.level import change_level
from asr.augment.no_speech import no_speech_seconds
from asr.augment.noise import add_noise, mean_power
from asr.augment.reverberation import reverberate
from asr.augment.silence import add_silence, silence_seconds
from asr.augment.speed import change_speed
from asr.augment.surroundings import NO_SURROUNDINGS, Surroundings
from asr.augment.telephone import through_telephone


@dataclass(frozen=True, slots=True)
class Rendition:
    """How an utterance is varied in an epoch. A seed that is None leaves its augmentation out.

    Attributes:
        speed: Factor of `change_speed`; the duration is divided by it.
        tempo: Factor of the frame shift of the features, by which their number is divided.
        room: Seed of `reverberate`.
        silence: Seed of `add_silence`.
        noise: Seed of `add_noise`, of noise.
        babble: Seed of `add_noise`, of other voices.
        level: Seed of `change_level`.
        is_telephone: Whether it goes through `through_telephone`.
        codec: Setting of `through_mp3`; None: no codec.
        joined: Seed of `join`, which adds another utterance.
        no_speech: Seed of `no_speech`, which takes the place of the recording, and whose text is
            empty.
    """

    speed: float = 1.0
    tempo: float = 1.0
    room: int | None = None
    silence: int | None = None
    noise: int | None = None
    babble: int | None = None
    level: int | None = None
    is_telephone: bool = False
    codec: int | None = None
    joined: int | None = None
    no_speech: int | None = None

    @property
    def returns(self) -> bool:
        """Whether another epoch may well draw the same: there is neither a seed nor a telephone."""
        return self == Rendition(speed=self.speed, tempo=self.tempo, codec=self.codec)

    def follower(self, n_utterances: int) -> int | None:
        """Return the index of the utterance that is joined to this one, if there is one."""
        if self.joined is None or self.no_speech is not None:
            return None
        return follower(n_utterances, self.joined)

    def duration(self, recorded: float, following: float | None = None) -> float:
        """Return the seconds that the rendition lasts, by its number of frames.

        Args:
            recorded: Seconds that it was recorded.
            following: Seconds of the utterance that is joined to it; None: there is none.
        """
        if self.no_speech is not None:
            recorded = no_speech_seconds(self.no_speech)
        if self.joined is not None and following is not None:
            recorded += gap_seconds(self.joined) + following
        pauses = silence_seconds(self.silence) if self.silence is not None else (0.0, 0.0)
        return (recorded / self.speed + sum(pauses)) / self.tempo


AS_RECORDED = Rendition()


def draw_renditions(
    n_utterances: int, config: AugmentConfig, *, seed: int, epoch: int
) -> list[Rendition]:
    """Draw the rendition of each utterance in an epoch.

    All is drawn anew in each epoch but the codec's setting: MP3 takes long, and so an utterance
    that has been through it may return from the cache.
    """
    return [_draw(f"{seed} {i}", config, epoch) for i in range(n_utterances)]


def render(
    sources: Sequence[NDArray[np.float32]],
    sample_rate: int,
    rendition: Rendition,
    surroundings: Surroundings = NO_SURROUNDINGS,
) -> NDArray[np.float32]:
    """Apply a rendition to an utterance: all but its tempo.

    Noise and pauses are relative to the speech as it is without them, which includes the gap
    before a joined utterance.

    Args:
        sources: The recording, (N,) float32, or what `no_speech` makes in its place; and, if there
            is one, the utterance that is joined to it.
        sample_rate: Hz.
        rendition: What to apply.
        surroundings: What its noises and rooms are drawn from.

    Returns:
        (N',) float32.
    """
    waveform, *others = sources
    if rendition.joined is not None:
        for other in others:
            waveform = join(waveform, other, sample_rate, rendition.joined)
    waveform = change_speed(waveform, sample_rate, rendition.speed)
    if rendition.room is not None:
        waveform = reverberate(waveform, surroundings.rooms, rendition.room)
    power = mean_power(waveform)
    if rendition.silence is not None:
        waveform = add_silence(waveform, sample_rate, surroundings.noise, power, rendition.silence)
    if rendition.noise is not None:
        waveform = add_noise(waveform, surroundings.noise, power, rendition.noise)
    if rendition.babble is not None:
        waveform = add_noise(waveform, surroundings.babble, power, rendition.babble)
    if rendition.level is not None:
        waveform = change_level(waveform, rendition.level)
    if rendition.is_telephone:
        waveform = through_telephone(waveform, sample_rate)
    if rendition.codec is not None:
        waveform = through_mp3(waveform, sample_rate, rendition.codec)
    return waveform


def _draw(utterance: str, config: AugmentConfig, epoch: int) -> Rendition:
    """Draw as many numbers whatever the shares are, so that none of them changes another's draw."""
    # Only random() itself is guaranteed to return the same numbers in every version of Python.
    draw = random.Random(f"rendition {utterance} {epoch}").random
    strength = config.strength(epoch)

    def seed_of(share: float) -> int | None:
        is_drawn, seed = draw() < strength * share, int(draw() * 2**32)
        return seed if is_drawn else None

    telephone, codec = strength * config.telephone_share, strength * config.codec_share
    line = draw()
    return Rendition(
        speed=config.speeds[int(draw() * len(config.speeds))],
        tempo=config.tempos[int(draw() * len(config.tempos))],
        room=seed_of(config.reverb_share),
        silence=seed_of(config.silence_share),
        noise=seed_of(config.noise_share),
        babble=seed_of(config.babble_share),
        level=seed_of(config.level_share),
        is_telephone=line < telephone,
        codec=_codec(utterance) if telephone <= line < telephone + codec else None,
        no_speech=seed_of(config.no_speech_share),
        joined=seed_of(config.join_share),  # the last, since what was drawn before may not change
    )


def _codec(utterance: str) -> int:
    """Draw the setting of the codec, once for all epochs."""
    return int(random.Random(f"codec {utterance}").random() * len(MP3_LEVELS))
