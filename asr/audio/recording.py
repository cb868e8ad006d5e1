"""Open a recording, or say why it cannot be used; decode it block by block."""

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import BinaryIO

import numpy as np
import soundfile
import soxr

from asr.audio.container import find_layout
from asr.audio.decoder import Decoder, SndfileDecoder, Waveform
from asr.audio.layout import DecodingError, Layout
from asr.audio.media import MediaDecoder, has_ffmpeg
from asr.audio.mono import MonoMixer, SampleError
from asr.audio.pcm import PcmDecoder, PcmFormat
from asr.audio.source import Source, name_of, open_source
from asr.errors import AudioError, warn_once

# Hz. Speech needs several times the least, no recorder offers the most. Beyond either the header is
# damaged: resampling would turn a few bytes into a full memory, or a recording into a few samples.
MIN_SAMPLE_RATE, MAX_SAMPLE_RATE = 1000, 1_000_000
# Seconds by which a segment may end after its recording: manifests round, and tools that estimate
# an MP3's length from its size are off by tenths of a second.
SEGMENT_TOLERANCE = 0.5
UNCHECKED = "a missing end would go unnoticed, as in any file of its format"

_LOG = logging.getLogger(__name__)


class Recording:
    """An open recording: one decoder for each of the parts that are joined in it.

    Attributes:
        name: Of its file or source, for messages.
        duration: Seconds; None: unknown before the end.
        n_channels: That all of its parts have.
        notes: What is odd about it and what was made of that, each the end of a sentence about
            it. Complete once all blocks are read, and then logged as warnings.
    """

    def __init__(self, name: str, decoders: list[Decoder], notes: list[str]) -> None:
        self.name, self.notes = name, notes
        self._decoders = decoders
        self.n_channels = min(decoder.channels for decoder in decoders)
        lengths = [decoder.n_samples for decoder in decoders]
        self.duration: float | None = None
        if None not in lengths:
            self.duration = sum(
                (n or 0) / decoder.sample_rate for n, decoder in zip(lengths, decoders, strict=True)
            )

    def blocks(
        self,
        sample_rate: int,
        *,
        channel: int | None = None,
        offset: float = 0.0,
        duration: float | None = None,
    ) -> Iterator[Waveform]:
        """Decode the recording, or a segment of it, once, in bounded memory.

        The blocks are the same samples as the whole at once would be, resampled without a seam.

        Args:
            sample_rate: Hz of the blocks; see `read_waveform`, as for the other arguments.
            channel: Counted from 0; None takes the mean of all.
            offset: Start of the segment in seconds.
            duration: Seconds; None reads to the end.

        Yields:
            (N,) float32, N >= 1, at least one block.

        Raises:
            AudioError: See `read_waveform`. Damage may show only after sound blocks.
        """
        yield from self._blocks(sample_rate, channel, offset, duration)
        for note in self.notes:
            warn_once(_LOG, f"{self.name}: {note}")

    def measure(self) -> float:
        """Return the duration in seconds; where the header does not tell it, decode the recording.

        Raises:
            AudioError: As `blocks`.
        """
        if self.duration is not None:
            return self.duration
        rate = 16000
        return sum(len(block) for block in self._blocks(rate, None, 0.0, None)) / rate

    def _blocks(
        self, sample_rate: int, channel: int | None, offset: float, duration: float | None
    ) -> Iterator[Waveform]:
        self._check(channel, offset, duration)
        blocks = self._resampled(sample_rate, channel, offset, duration)
        n_samples = 0
        while True:
            with naming_errors(self.name):
                block = next((block for block in blocks if len(block)), None)
            if block is None:
                break
            n_samples += len(block)
            yield block
        if not n_samples:
            raise AudioError(f"{self.name}: has too few samples from {offset:g} s on to resample")

    def _check(self, channel: int | None, offset: float, duration: float | None) -> None:
        check_channel(self.name, channel, self.n_channels)
        end = None if duration is None else offset + duration
        is_empty = offset < 0 or (end is not None and end <= offset)
        if self.duration is not None:
            is_late = end is not None and end > self.duration + SEGMENT_TOLERANCE
            is_empty = is_empty or is_late or offset >= self.duration
        if is_empty:
            lasts = "" if self.duration is None else f"; it lasts {self.duration:g} s"
            wanted = "its end" if end is None else f"{end:g} s"
            raise AudioError(f"{self.name}: has no segment from {offset:g} s to {wanted}{lasts}")

    def _resampled(
        self, sample_rate: int, channel: int | None, offset: float, duration: float | None
    ) -> Iterator[Waveform]:
        """Decode and resample; parts of the same rate pass through one resampler."""
        resampler, from_rate = None, sample_rate
        for begun, decoder, start, end in self._spans(offset, duration):
            if decoder.sample_rate != from_rate:
                if resampler is not None:
                    yield resampler.resample_chunk(np.zeros(0, np.float32), last=True)
                from_rate, resampler = decoder.sample_rate, None
                if from_rate != sample_rate:
                    resampler = soxr.ResampleStream(from_rate, sample_rate, 1, dtype="float32")
            mix = MonoMixer(decoder.sample_rate, channel, begun + start / decoder.sample_rate)
            for block in self._decoded(decoder, start, end, mix):
                yield resampler.resample_chunk(block) if resampler is not None else block
        if resampler is not None:
            yield resampler.resample_chunk(np.zeros(0, np.float32), last=True)

    def _spans(
        self, offset: float, duration: float | None
    ) -> Iterator[tuple[float, Decoder, int, int | None]]:
        """Find when each part begins, and which of its samples belong to a segment."""
        begun = 0.0
        for decoder in self._decoders:
            rate, n_samples = decoder.sample_rate, decoder.n_samples
            start = max(0, round((offset - begun) * rate))
            end = n_samples
            if duration is not None:
                end = max(0, round((offset + duration - begun) * rate))
                end = end if n_samples is None else min(end, n_samples)
            if end is None or start < end:
                yield begun, decoder, start, end
            begun += (n_samples or 0) / rate

    def _decoded(
        self, decoder: Decoder, start: int, end: int | None, mix: MonoMixer
    ) -> Iterator[Waveform]:
        """Decode a span of one part to one channel; refuse it if some of it is missing."""
        n_read = 0
        for block in mix.windows(decoder.blocks(start, end)):
            n_read += len(block)
            yield mix(block)
        self.notes += mix.notes
        n_wanted = n_read if end is None else end - start
        if n_wanted - n_read > decoder.tolerance:
            raise DecodingError(f"{n_wanted - n_read} of {n_wanted} samples are missing")


def check_channel(name: str, channel: int | None, n_channels: int) -> None:
    """Refuse a channel that a recording lacks.

    Raises:
        AudioError: It has no such channel.
    """
    if channel is not None and not 0 <= channel < n_channels:
        raise AudioError(
            f"{name}: has no channel {channel}; its channels are 0 to {n_channels - 1}"
        )


@contextmanager
def open_recording(source: Source, *, pcm: PcmFormat | None = None) -> Iterator[Recording]:
    """Open a recording that has samples.

    Args:
        source: See `open_source`.
        pcm: The source is raw samples of this format. They are decoded as they arrive; anything
            else that comes from a pipe or URL is copied to a temporary file first.

    Raises:
        AudioError: As for `read_extent`.
    """
    name = name_of(source)
    with ExitStack() as stack:
        with naming_errors(name):
            file = stack.enter_context(open_source(source, is_streamed=pcm is not None))
            recording = _open_file(name, file, pcm)
        for decoder in recording._decoders:
            stack.callback(decoder.close)
        yield recording


@contextmanager
def naming_errors(name: str) -> Iterator[None]:
    """Turn whatever can go wrong in a recording into an AudioError that names it."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError) as error:
        raise AudioError(f"{name}: no such file") from error
    except PermissionError as error:
        raise AudioError(f"{name}: reading it is not permitted; change its permissions") from error
    except OSError as error:
        raise AudioError(f"{name}: cannot be read: {error.strerror or error}") from error
    except soundfile.LibsndfileError as error:
        raise _truncated(name, f"the decoder stopped: {error.error_string}") from error
    except DecodingError as error:
        raise _truncated(name, str(error)) from error
    except SampleError as error:
        raise AudioError(f"{name}: {error}") from error
    except MemoryError as error:
        raise AudioError(f"{name}: decoding it needs more memory than there is") from error


def _truncated(name: str, reason: str) -> AudioError:
    return AudioError(f"{name}: is truncated or damaged: {reason}; copy or download it again")


def _open_file(name: str, file: BinaryIO, pcm: PcmFormat | None) -> Recording:
    n_bytes = file.seek(0, 2) if file.seekable() else None
    if n_bytes == 0:
        raise AudioError(f"{name}: is empty (0 bytes); copy or record it again")
    if n_bytes is not None:
        file.seek(0)
    notes: list[str] = []
    if pcm is not None:
        decoders: list[Decoder] = [PcmDecoder(file, pcm, n_bytes)]
    else:
        layout = find_layout(file, n_bytes or 0)
        notes += layout.notes
        if len(layout.parts) > 1:
            notes.append(f"{len(layout.parts)} recordings are joined in it; read one after another")
        decoders = _decoders(name, file, layout, notes)
    for decoder in decoders:
        if not MIN_SAMPLE_RATE <= decoder.sample_rate <= MAX_SAMPLE_RATE:
            raise AudioError(
                f"{name}: its sample rate is {decoder.sample_rate} Hz, expected {MIN_SAMPLE_RATE} "
                f"to {MAX_SAMPLE_RATE} Hz; record or export it again"
            )
    decoders = [decoder for decoder in decoders if decoder.n_samples != 0]
    if not decoders:
        raise AudioError(f"{name}: its header says that it holds no samples; export it again")
    return Recording(name, decoders, notes)


def _decoders(name: str, file: BinaryIO, layout: Layout, notes: list[str]) -> list[Decoder]:
    """Open the parts with libsndfile, or, where it does not know the format, with FFmpeg."""
    try:
        decoders = [SndfileDecoder(file, part) for part in layout.parts]
    except soundfile.LibsndfileError as error:
        if not has_ffmpeg():
            raise AudioError(
                f"{name}: is not audio that libsndfile knows: {error.error_string}; "
                "pip install 'asr-ctc[media]' reads m4a, mp4, webm, mkv, wma, amr and others"
            ) from error
    else:
        if not layout.is_walked:
            notes.append(UNCHECKED)
        return [*decoders]
    try:
        media = [MediaDecoder(file, part) for part in layout.parts]
    except DecodingError as error:
        raise AudioError(f"{name}: is not audio of a known format: {error}") from error
    if not all(decoder.is_timed for decoder in media):
        notes.append(UNCHECKED)
    return [*media]
