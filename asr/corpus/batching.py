"""Which utterances go through the model together, epoch by epoch.

A batch is padded to its longest utterance, so that utterances of like length belong together; but
the same companions in the same order every epoch teach the model worse. So each epoch sorts by
length with a little noise, cuts, and shuffles the batches. Everything follows from (seed, epoch):
training that is resumed in the middle of an epoch finds the same batches again.
"""

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from asr.audio.codec import MP3_SETTINGS
from asr.errors import ConfigError

# Relative. On LibriSpeech's train-clean-5, 5 % adds 3 to 4 % of padding to the 1 % of sorted order.
LENGTH_JITTER = 0.05


@dataclass(frozen=True, slots=True)
class BatchingConfig:
    """How a corpus is cut into batches.

    Attributes:
        batch_duration: Seconds of audio in a batch at most, padding included.
        speeds: Factors of speed perturbation, drawn evenly; (1.0,) leaves the speech as it is.
        sorted_first: Whether the first epoch goes from short utterances to long ones.
        codec_share: Share of utterances that are sent through a lossy codec, 0 to 1.
        noise_share: Share of utterances with noise behind them, 0 to 1.
        reverb_share: Share of utterances that are played in a room, 0 to 1.
        ramp_epochs: Epochs over which codecs, noise, rooms, masks and dropout grow from none to
            their full measure: an untrained model leaves CTC's plateau of blanks sooner without.
        seed: Of the order, the companions and the renditions.

    Raises:
        ConfigError: A duration or a speed is not above zero, there are no speeds, a share is none,
            or a number of epochs is negative.
    """

    batch_duration: float
    speeds: tuple[float, ...]
    sorted_first: bool
    codec_share: float
    noise_share: float
    reverb_share: float
    ramp_epochs: int
    seed: int

    def __post_init__(self) -> None:
        if not self.batch_duration > 0:
            raise ConfigError(
                f"batching.batch_duration must be above 0 s, got {self.batch_duration}"
            )
        if not self.speeds or not all(speed > 0 for speed in self.speeds):
            raise ConfigError(
                f"batching.speeds must be one or more, each above 0, got {self.speeds}"
            )
        for name in ("codec_share", "noise_share", "reverb_share"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ConfigError(f"batching.{name} must be within 0..1, got {getattr(self, name)}")
        if self.ramp_epochs < 0:
            raise ConfigError(f"batching.ramp_epochs must be at least 0, got {self.ramp_epochs}")

    def strength(self, epoch: int) -> float:
        """Tell how much of what grows by `ramp_epochs` there is in an epoch from 0: 0 to 1."""
        return min(1.0, epoch / self.ramp_epochs) if self.ramp_epochs else 1.0


@dataclass(frozen=True, slots=True)
class Rendition:
    """How an utterance is played in an epoch.

    Attributes:
        speed: The factor by which it is played faster: it lasts its duration divided by that.
        codec: The setting of `through_mp3` that it is sent through; None spares it.
        noise: The seed of the noise that `add_noise` adds; None: silence.
        room: The seed of the room that `reverberate` plays it in; None: none.
    """

    speed: float = 1.0
    codec: int | None = None
    noise: int | None = None
    room: int | None = None


AS_RECORDED = Rendition()


def draw_renditions(n_utterances: int, config: BatchingConfig, epoch: int) -> list[Rendition]:
    """Draw how each utterance is played in an epoch.

    Whether an utterance goes through a codec, has noise behind it or is played in a room is drawn
    anew each epoch; through which setting once for all, and which noise and which room once for
    each speed. So each of the three doubles the renditions of an utterance, and there are no more:
    with codecs alone two for each speed, few enough to keep their features; with all three eight.
    """
    setting = random.Random(f"codec settings {config.seed}").random
    settings = [int(setting() * len(MP3_SETTINGS)) for _ in range(n_utterances)]
    draw = random.Random(f"renditions {config.seed} {epoch}").random
    share = config.codec_share * config.strength(epoch)
    plain = [
        Rendition(
            speed=config.speeds[int(draw() * len(config.speeds))],
            codec=settings[i] if draw() < share else None,
        )
        for i in range(n_utterances)
    ]
    noises = _draw_seeds("noise", config.noise_share, plain, config, epoch)
    rooms = _draw_seeds("room", config.reverb_share, plain, config, epoch)
    return [
        replace(rendition, noise=noise, room=room)
        for rendition, noise, room in zip(plain, noises, rooms, strict=True)
    ]


def _draw_seeds(
    what: str, share: float, renditions: Sequence[Rendition], config: BatchingConfig, epoch: int
) -> list[int | None]:
    """Draw which utterances have it in an epoch; the seed follows from the utterance and speed."""
    draw = random.Random(f"{what} {config.seed} {epoch}").random
    share *= config.strength(epoch)
    return [
        _seed(f"{what} {config.seed} {i} {rendition.speed}") if draw() < share else None
        for i, rendition in enumerate(renditions)
    ]


def _seed(words: str) -> int:
    """Turn a seed in words into one in 32 bits, the same on every machine."""
    return int.from_bytes(hashlib.sha256(words.encode()).digest()[:4])


def plan_batches(
    durations: Sequence[float],
    batch_duration: float,
    seed: int,
    epoch: int,
    *,
    sorted_first: bool = False,
) -> list[list[int]]:
    """Cut a corpus into batches of like lengths.

    Args:
        durations: Seconds of each utterance.
        batch_duration: Seconds that a batch lasts at most, that is, its longest utterance times
            their number. An utterance that is longer by itself becomes a batch of its own.
        seed: Another seed, another order.
        epoch: From 0; another epoch, another order.
        sorted_first: Epoch 0 takes the utterances in order of increasing length, which spares an
            untrained model the long ones (SortaGrad).

    Returns:
        Lists of indices into `durations`; every index is in exactly one. Empty for no durations.

    References:
        Amodei et al., "Deep Speech 2", ICML 2016, section 3.2 (SortaGrad).
    """
    if sorted_first and epoch == 0:
        in_order = sorted(range(len(durations)), key=durations.__getitem__)
        return _cut(in_order, durations, batch_duration)
    # Only random() itself is promised to give the same numbers in every version of Python.
    draw = random.Random(f"batches {seed} {epoch}").random
    jittered = [seconds * (1 + LENGTH_JITTER * (2 * draw() - 1)) for seconds in durations]
    in_order = sorted(range(len(durations)), key=jittered.__getitem__)
    batches = _cut(in_order, durations, batch_duration)
    return sorted(batches, key=lambda _: draw())


def _cut(
    in_order: Sequence[int], durations: Sequence[float], batch_duration: float
) -> list[list[int]]:
    """Fill one batch after the other, as far as each goes."""
    batches: list[list[int]] = []
    longest = 0.0
    for index in in_order:
        longest = max(longest, durations[index])
        if batches and longest * (len(batches[-1]) + 1) <= batch_duration:
            batches[-1].append(index)
        else:
            batches.append([index])
            longest = durations[index]
    return batches
