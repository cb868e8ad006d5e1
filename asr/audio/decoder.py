"""What every decoder offers, and libsndfile as one."""

from collections.abc import Iterator
from typing import BinaryIO, Protocol

import numpy as np
import soundfile
from numpy.typing import NDArray

from asr.audio.interrupts import interruptible
from asr.audio.layout import Part, View
from asr.audio.quiet import quiet

# Samples of all channels that are decoded at once: memory then follows what the file holds, not
# what a corrupt header claims.
BLOCK_SAMPLES = 1 << 20
# Some MP3 encoders count their header frame as a frame of audio.
MP3_FRAME_SAMPLES = 1152
# These are not decoded exactly after a seek: what comes before is decoded and dropped.
UNSEEKABLE = ("MPEG_LAYER_I", "MPEG_LAYER_II", "MPEG_LAYER_III", "DWVW_12", "DWVW_16", "DWVW_24")
# Seconds after which Opus, once it has sought, is exact again.
OPUS_PREROLL = 1.0
# What libsndfile reports where the header leaves the length open.
UNKNOWN_LENGTH = 2**63 - 1

Block = NDArray[np.float32]  # (N, channels)
Waveform = NDArray[np.float32]  # (N,)


class Decoder(Protocol):
    """Turns a part of a file into samples, front to back, once.

    Attributes:
        sample_rate: Hz.
        channels: Their number.
        n_samples: Of each channel; None: unknown.
        tolerance: How many of those may turn out to be missing.
    """

    sample_rate: int
    channels: int
    n_samples: int | None
    tolerance: int

    def blocks(self, start: int, end: int | None) -> Iterator[Block]:
        """Decode samples start to end, or as many of them as there are."""
        ...

    def close(self) -> None:
        """Free what the decoder holds."""
        ...


def cut(blocks: Iterator[Block], start: int, end: int | None) -> Iterator[Block]:
    """Pass on samples start to end of blocks that begin with sample 0."""
    position = 0
    for block in blocks:
        first, position = position, position + len(block)
        wanted = block[max(0, start - first) : None if end is None else max(0, end - first)]
        if len(wanted):
            yield wanted
        if end is not None and position >= end:
            return


class SndfileDecoder:
    """Decodes with libsndfile, which recognises a file by its content.

    Raises:
        soundfile.LibsndfileError: libsndfile does not know the format, or the header is damaged.
    """

    def __init__(self, file: BinaryIO, part: Part) -> None:
        self._view = View(file, part)
        with quiet(), interruptible():
            self._sound = _SoundFile(self._view)
        self.sample_rate: int = self._sound.samplerate
        self.channels: int = self._sound.channels
        n_samples: int = self._sound.frames
        self.n_samples = None if n_samples == UNKNOWN_LENGTH else n_samples
        self.tolerance = MP3_FRAME_SAMPLES if self._sound.format == "MP3" else 0

    def blocks(self, start: int, end: int | None) -> Iterator[Block]:
        """See `Decoder`."""
        start_of_seek = self._seek(start)
        for _ in self._read(start - start_of_seek):
            pass  # decoded and dropped
        yield from self._read((UNKNOWN_LENGTH if end is None else end) - start)

    def close(self) -> None:
        """See `Decoder`."""
        self._sound.close()

    def _seek(self, start: int) -> int:
        """Go to a sample, or to one before it; return which."""
        if not start or not self._sound.can_seek or self._sound.subtype in UNSEEKABLE:
            return 0
        if self._sound.subtype == "OPUS":
            start = max(0, start - round(OPUS_PREROLL * self.sample_rate))
        with interruptible():
            self._sound.seek(start)
        return start

    def _read(self, n_wanted: int) -> Iterator[Block]:
        n_at_once = max(1, BLOCK_SAMPLES // self.channels)
        while n_wanted > 0:
            with quiet(), interruptible():
                block = self._sound.read(min(n_wanted, n_at_once), dtype="float32", always_2d=True)
            if self._view.error:
                raise self._view.error
            if not len(block):
                return
            n_wanted -= len(block)
            yield block


class _SoundFile(soundfile.SoundFile):  # type: ignore[misc]  # untyped
    """A file to decode front to back.

    After every read of a seekable file, soundfile seeks to where it already is. That restarts the
    MP3 decoder, without the bits that a frame borrows from earlier ones: a click wherever two reads
    meet.
    """

    def seekable(self) -> bool:
        """Keep soundfile from seeking by itself; `seek` still works."""
        return False

    @property
    def can_seek(self) -> bool:
        """Whether libsndfile can seek in this codec."""
        return super().seekable()  # type: ignore[no-any-return]
