"""Any number of channels become one waveform, all of whose samples can be used."""

import math
from collections.abc import Iterable, Iterator

import numpy as np

from asr.audio.decoder import Block, Waveform

# Samples are within ±1, or within 32 bits where a program stored whole numbers as floating-point
# ones. Beyond is no sound, and the square of its energy is no number any more.
MAX_SAMPLE = 2.0**31
# Channels cancel out when their mean keeps less than this share of their power (20 dB).
CANCELLED_POWER = 0.01
# Seconds that are decided on at once: fewer samples may cancel out by chance.
WINDOW = 0.1


class SampleError(Exception):
    """A sample is no sound; the message is the end of a sentence about the recording."""


class MonoMixer:
    """Takes one channel, or the mean of all, and checks the samples.

    Where the channels cancel out in a window (a cable or a program inverts one of them), the
    loudest is taken in place of the mean, which would be silence.

    Args:
        sample_rate: Hz.
        channel: Counted from 0; None: all.
        begun: Seconds of the recording before the first sample.

    Attributes:
        notes: What was odd, each the end of a sentence about the recording.
    """

    def __init__(self, sample_rate: int, channel: int | None, begun: float) -> None:
        self.notes: list[str] = []
        self._sample_rate, self._channel, self._begun = sample_rate, channel, begun
        self._n_done = 0
        self._n_window = math.ceil(WINDOW * sample_rate)
        self._is_cancelled = False
        self._taken: int | None = None

    def windows(self, blocks: Iterable[Block]) -> Iterator[Block]:
        """Regroup blocks, (N, channels) each, into windows to call this with; the last is shorter.

        So the same samples are decided on together, however a decoder or a pipe divides them. If
        there is nothing to decide, the blocks are passed on as they are.
        """
        held: list[Block] = []
        n_held = 0
        for block in blocks:
            if block.shape[1] == 1 or self._channel is not None:
                yield block
                continue
            rest = block
            while n_held + len(rest) >= self._n_window:
                n_missing = self._n_window - n_held
                yield np.concatenate([*held, rest[:n_missing]])
                rest, held, n_held = rest[n_missing:], [], 0
            held.append(rest)
            n_held += len(rest)
        if n_held:
            yield np.concatenate(held)

    def __call__(self, block: Block) -> Waveform:
        """Turn the next block, (N, channels), into (N,).

        Raises:
            SampleError: A sample is not a number, or not one of a sound.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            waveform = self._mix(block)
            usable = np.abs(waveform) <= MAX_SAMPLE
        if not usable.all():
            first = int(usable.argmin())
            place = self._begun + (self._n_done + first) / self._sample_rate
            raise SampleError(
                f"its sample at {place:.3f} s is {waveform[first]:g}, expected one within ±1; "
                "export it again"
            )
        self._n_done += len(waveform)
        return waveform

    def _mix(self, block: Block) -> Waveform:
        if block.shape[1] == 1 or self._channel is not None:
            return block[:, self._channel or 0]
        n_channels = block.shape[1]
        mixed: Waveform = block @ np.full(n_channels, 1 / n_channels, np.float32)
        powers = np.einsum("nc,nc->c", block, block)
        if len(block) >= self._n_window:  # the few at the end go on like those before
            self._is_cancelled = bool(mixed @ mixed < CANCELLED_POWER * powers.mean())
        if not self._is_cancelled:
            return mixed
        if self._taken is None:
            self._taken = int(powers.argmax())
            place = self._begun + self._n_done / self._sample_rate
            self.notes.append(
                f"its channels cancel each other out from {place:.1f} s on, as if one were "
                f"inverted; channel {self._taken} alone was taken there"
            )
        if powers[self._taken] < powers.max() / 2:  # not by turns: each change is a click
            self._taken = int(powers.argmax())
        return block[:, self._taken]
