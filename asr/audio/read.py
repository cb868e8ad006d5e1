"""Read a recording of any common format, sample rate and channel count as one mono waveform.

A file that cannot be used is refused with an `AudioError` that names it and gives the reason.
Nothing is ever invented in its place, neither silence nor a shortened waveform.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import soxr

from asr.audio.decoder import Waveform
from asr.audio.mono import MonoMixer
from asr.audio.pcm import PcmFormat
from asr.audio.recording import (
    MAX_SAMPLE_RATE,
    MIN_SAMPLE_RATE,
    naming_errors,
    open_recording,
)
from asr.audio.source import Source, name_of
from asr.errors import AudioError, ConfigError

# A few kilobytes of FLAC can hold days of silence; a waveform of this size is 2 GiB.
MAX_WAVEFORM_SAMPLES = 1 << 29


class Extent(NamedTuple):
    """How much a recording has: seconds, and channels."""

    duration: float
    n_channels: int


def read_duration(source: Source) -> float:
    """Read a recording's length in seconds, more than 0; see `read_extent`."""
    return read_extent(source).duration


def read_extent(source: Source) -> Extent:
    """Read a recording's length, more than 0 s, and the number of its channels from its header.

    Damage that only decoding reveals goes unnoticed. Where the header does not tell, the recording
    is decoded.

    Raises:
        AudioError: The file is missing, a folder, not a regular file, not readable, empty, not
            audio, visibly truncated, without samples, or has a sample rate that nobody records at.
    """
    with open_recording(source) as recording:
        return Extent(recording.measure(), recording.n_channels)


def read_waveform(
    source: Source,
    *,
    sample_rate: int,
    channel: int | None = None,
    offset: float = 0.0,
    duration: float | None = None,
    pcm: PcmFormat | None = None,
) -> Waveform:
    """Decode a recording, or a segment of it, to a mono waveform.

    Integer samples of any width are scaled to [-1, 1]; floating-point samples are returned as
    stored. A missing end is detected as `find_layout` describes, and whenever the decoder returns
    fewer samples than the header promised. It cannot be detected in an MP3 file without a frame
    count that was cut exactly between two frames or lacks only its last frame, nor in most formats
    that `find_layout` does not walk. What is odd, but can be read, is logged as a warning.

    Args:
        source: A file of any format that libsndfile reads or, with PyAV, FFmpeg; a URL, with
            fsspec; "-" for standard input; or a binary file.
        sample_rate: Hz of the result; the recording is resampled (soxr, HQ) if its own differs.
        channel: Counted from 0; None takes the mean of all channels, or, where these cancel each
            other out, the loudest.
        offset: Start of the segment in seconds.
        duration: Seconds; None reads to the end of the recording. A segment may end up to 0.5 s
            after the recording; what is there is returned.
        pcm: The source is raw samples of this format, without a header.

    Returns:
        (N,) float32, finite, N >= 1.

    Raises:
        AudioError: As for `read_extent`; or the file turns out to be truncated or damaged, has
            samples that are not finite or beyond ±2^31, no such channel or no such segment, is too
            short to resample, or too long for one waveform (`Recording.blocks` has no limit).
    """
    longest = MAX_WAVEFORM_SAMPLES / sample_rate
    waveform = read_unless_longer(
        source,
        longest,
        sample_rate=sample_rate,
        channel=channel,
        offset=offset,
        duration=duration,
        pcm=pcm,
    )
    if waveform is None:
        raise AudioError(
            f"{name_of(source)}: lasts more than the {longest / 3600:.1f} hours that are read at "
            "once; cut it, or read it block by block"
        )
    return waveform


def read_unless_longer(
    source: Source,
    longest: float,
    *,
    sample_rate: int,
    channel: int | None = None,
    offset: float = 0.0,
    duration: float | None = None,
    pcm: PcmFormat | None = None,
) -> Waveform | None:
    """Decode a recording as `read_waveform` does, unless it lasts longer than `longest` seconds.

    Returns:
        As `read_waveform`; or None, where the header tells before anything is decoded.

    Raises:
        AudioError: As `read_waveform`.
    """
    blocks, n_samples = [], 0
    with open_recording(source, pcm=pcm) as recording:
        if duration is None and recording.duration is not None:
            lasting = recording.duration - offset
        else:
            lasting = duration or 0.0
        if lasting > longest:
            return None
        for block in recording.blocks(
            sample_rate, channel=channel, offset=offset, duration=duration
        ):
            blocks.append(block)
            n_samples += len(block)
            if n_samples > longest * sample_rate:
                return None
    with naming_errors(recording.name):
        return np.concatenate(blocks)


@contextmanager
def opened(
    source: Source | Waveform,
    to_rate: int,
    *,
    sample_rate: int | None = None,
    channel: int | None = None,
) -> Iterator[tuple[str, Iterable[Waveform]]]:
    """Open a recording, or take a waveform, (N,), as blocks at a rate in Hz.

    Args:
        source: A path, a URL, a file opened in binary, or a waveform.
        to_rate: Hz of the blocks.
        sample_rate: Hz of a waveform; None: that of the blocks.
        channel: Of a file; None mixes all down.

    Yields:
        The recording's name for messages, and its blocks.

    Raises:
        AudioError: It cannot be used; as for `read_waveform` or, of a waveform, for `usable`; or
            nobody records at its rate.
        ConfigError: The sample rate is given of a file, or the channel of a waveform.
    """
    if isinstance(source, np.ndarray):
        if channel is not None:
            raise ConfigError(f"a waveform has one channel; got channel={channel} as well")
        rate = to_rate if sample_rate is None else sample_rate
        yield "waveform", [_resample(source, rate, to_rate)]
        return
    if sample_rate is not None:
        raise ConfigError(
            f"{name_of(source)}: a file says its own rate; got sample_rate={sample_rate} as well"
        )
    with open_recording(source) as recording:
        yield recording.name, recording.blocks(to_rate, channel=channel)


def usable(blocks: Iterable[Waveform], sample_rate: int) -> Iterator[Waveform]:
    """Check the blocks of a waveform, (N,) each, from an application.

    Yields:
        Each as float32. Its scale is kept, also that of whole numbers.

    Raises:
        AudioError: One is not an array of numbers, (N,), or a sample is not finite or beyond ±2^31.
    """
    mix = MonoMixer(sample_rate, None, 0.0)
    for block in blocks:
        kind = getattr(block, "dtype", np.dtype(object))
        if not (np.issubdtype(kind, np.floating) or np.issubdtype(kind, np.integer)):
            got = f"an array of {kind}" if hasattr(block, "dtype") else type(block).__name__
            raise AudioError(f"waveform: expected an array of numbers in [-1, 1], got {got}")
        if block.ndim != 1:
            raise AudioError(
                f"waveform: expected the samples of one channel, (N,), got {block.shape}; take the "
                "mean of its channels"
            )
        with np.errstate(over="ignore"):  # beyond float32 is infinite, and is refused
            samples = block.astype(np.float32, copy=False)
        with naming_errors("waveform"):
            mix(samples[:, None])
        yield samples


def _resample(waveform: Waveform, from_rate: int, to_rate: int) -> Waveform:
    """Resample a waveform, (N,), from one rate to another, in Hz (soxr, HQ)."""
    is_rate = isinstance(from_rate, int | float | np.number)
    if not (is_rate and MIN_SAMPLE_RATE <= from_rate <= MAX_SAMPLE_RATE):
        raise AudioError(
            f"waveform: its sample rate is {from_rate!r}, expected {MIN_SAMPLE_RATE} to "
            f"{MAX_SAMPLE_RATE} Hz"
        )
    (checked,) = usable([waveform], from_rate)
    if from_rate == to_rate:
        return checked
    resampled: Waveform = soxr.resample(checked, from_rate, to_rate)
    return resampled
