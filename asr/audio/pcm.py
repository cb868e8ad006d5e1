"""Raw PCM: samples without a header, of which one must know the rate, channels and encoding."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import soundfile

from asr.audio.decoder import Block, cut
from asr.audio.layout import DecodingError
from asr.errors import ConfigError

# Names as FFmpeg and sox have them; bytes of a sample, libsndfile's name, and order.
ENCODINGS = {
    "u8": (1, "PCM_U8", "LITTLE"),
    "s8": (1, "PCM_S8", "LITTLE"),
    "mulaw": (1, "ULAW", "LITTLE"),
    "alaw": (1, "ALAW", "LITTLE"),
    **{
        f"{name}{short}": (n_bytes, subtype, order)
        for name, n_bytes, subtype in (
            ("s16", 2, "PCM_16"),
            ("s24", 3, "PCM_24"),
            ("s32", 4, "PCM_32"),
            ("f32", 4, "FLOAT"),
            ("f64", 8, "DOUBLE"),
        )
        for short, order in (("le", "LITTLE"), ("be", "BIG"))
    },
}
BLOCK_BYTES = 1 << 18  # to read at once, or less where less has arrived


@dataclass(frozen=True, slots=True)
class PcmFormat:
    """What raw samples mean.

    Attributes:
        sample_rate: Hz.
        channels: Interleaved.
        encoding: One of `ENCODINGS`.

    Raises:
        ConfigError: There is no such encoding, or no channel.
    """

    sample_rate: int
    channels: int = 1
    encoding: str = "s16le"

    def __post_init__(self) -> None:
        if self.encoding not in ENCODINGS:
            raise ConfigError(
                f"expected a PCM encoding of {', '.join(ENCODINGS)}, got {self.encoding!r}"
            )
        if self.channels < 1:
            raise ConfigError(f"expected at least one channel, got {self.channels}")


class PcmDecoder:
    """Decodes raw samples as they arrive, also from what cannot seek.

    Args:
        file: Buffered; at the first sample.
        pcm: What its bytes mean.
        n_bytes: The size of the file; None: unknown.

    Raises:
        DecodingError: The file ends within a sample.
    """

    tolerance = 0

    def __init__(self, file: BinaryIO, pcm: PcmFormat, n_bytes: int | None) -> None:
        self._file = file
        self.sample_rate, self.channels = pcm.sample_rate, pcm.channels
        width, self._subtype, self._order = ENCODINGS[pcm.encoding]
        self._frame_bytes = width * pcm.channels
        self.n_samples = None if n_bytes is None else n_bytes // self._frame_bytes
        self._check_rest((n_bytes or 0) % self._frame_bytes)

    def blocks(self, start: int, end: int | None) -> Iterator[Block]:
        """See `Decoder`."""
        return cut(self._decode(), start, end)

    def _decode(self) -> Iterator[Block]:
        read = getattr(self._file, "read1", self._file.read)
        rest = b""
        while content := read(BLOCK_BYTES):
            rest += content
            n_whole = len(rest) // self._frame_bytes * self._frame_bytes
            if n_whole:
                yield self._samples(rest[:n_whole])
            rest = rest[n_whole:]
        self._check_rest(len(rest))

    def _check_rest(self, n_bytes: int) -> None:
        if n_bytes:
            raise DecodingError(
                f"its last sample is cut: {n_bytes} of {self._frame_bytes} bytes are there"
            )

    def _samples(self, content: bytes) -> Block:
        block: Block
        block, _ = soundfile.read(
            io.BytesIO(content),
            dtype="float32",
            always_2d=True,
            samplerate=self.sample_rate,
            channels=self.channels,
            format="RAW",
            subtype=self._subtype,
            endian=self._order,
        )
        return block

    def close(self) -> None:
        """See `Decoder`; the file is another's."""
