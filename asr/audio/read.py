"""Read recordings: any common format, rate and channel count to one mono waveform.

A file that cannot be used is refused with an `AudioError` that names it and says why. Nothing is
ever invented for it: no silence, no shortened waveform.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from asr.audio.recording import Recording, open_recording, truncated
from asr.errors import AudioError

# Decoding goes block by block: memory follows what is really in the file, not what a corrupt
# header claims, and the channels of a long recording are mixed before the next block is read.
BLOCK_SAMPLES = 1 << 20
# A manifest's times are rounded, so that a segment may end this much (seconds) after its recording.
SEGMENT_TOLERANCE = 0.01
# Some MP3 encoders count their header frame as one of sound.
MP3_FRAME_SAMPLES = 1152
# Hz. Speech needs several times as much; a rate below it is a damaged header's, and resampling from
# it would make a few bytes fill the memory.
MIN_SAMPLE_RATE = 1000


@dataclass(frozen=True, slots=True)
class AudioInfo:
    """What a recording's header says: `sample_rate` in Hz, `n_samples` of each channel."""

    sample_rate: int
    n_samples: int
    n_channels: int

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.n_samples / self.sample_rate


def probe_audio(path: Path | str) -> AudioInfo:
    """Read a recording's rate, length and channels without decoding it.

    Damage that only decoding shows (in the middle of a file; a FLAC file's missing end) goes
    unnoticed here.

    Args:
        path: A WAV, FLAC, Ogg (Vorbis, Opus), MP3 or AIFF file.

    Returns:
        The header's figures, with at least one sample and one channel.

    Raises:
        AudioError: The file is missing, a folder, not a regular file, not permitted, empty, not
            audio, visibly truncated, holds no samples, or has a sample rate below 1000 Hz.
    """
    with open_recording(Path(path)) as recording:
        return _info(Path(path), recording)


def read_waveform(
    path: Path | str,
    *,
    sample_rate: int,
    channel: int | None = None,
    offset: float = 0.0,
    duration: float | None = None,
) -> NDArray[np.float32]:
    """Decode a recording, or a segment of it, to a mono waveform.

    Integer samples of any width come out in [-1, 1]; floating-point samples as they are stored.
    A missing end is noticed as `find_truncation` describes, and besides whenever fewer samples
    come out of the decoder than the header promised. It is not noticeable in an MP3 file
    without a count of frames that was cut exactly between two frames, or that lacks only its very
    last frame, and in the part of a FLAC file that a segment does not touch.

    Args:
        path: A WAV, FLAC, Ogg (Vorbis, Opus), MP3 or AIFF file.
        sample_rate: Hz of the result; the recording is resampled (soxr, HQ) if its own differs.
        channel: The channel to take, counted from 0; None mixes all of them down by their mean.
        offset: Start of the segment in seconds.
        duration: Length of the segment in seconds; None reads to the recording's end.

    Returns:
        (N,) float32, finite, N >= 1.

    Raises:
        AudioError: What `probe_audio` refuses, and: the file turns out to be truncated or damaged,
            holds NaN or infinite samples, has no such channel, or no such segment (it may end up
            to 0.01 s too late, since manifests round), or is too short to resample.
    """
    path = Path(path)
    with open_recording(path) as recording:
        info = _info(path, recording)
        _check_channel(path, info, channel)
        start, end = _segment(path, info, offset, duration)
        waveform = _decode(recording, start, end, channel)
        missing = end - start - len(waveform)
        if missing > (MP3_FRAME_SAMPLES if recording.format == "MP3" else 0):
            raise truncated(path, f"{missing} of {end - start} samples are missing")
    _check_finite(path, waveform, start, info.sample_rate)
    return _resample(path, waveform, info.sample_rate, sample_rate)


def _info(path: Path, recording: Recording) -> AudioInfo:
    if recording.samplerate < MIN_SAMPLE_RATE:
        raise AudioError(
            f"{path}: its sample rate is {recording.samplerate} Hz, expected at least "
            f"{MIN_SAMPLE_RATE} Hz; record or export it again"
        )
    return AudioInfo(recording.samplerate, recording.frames, recording.channels)


def _check_channel(path: Path, info: AudioInfo, channel: int | None) -> None:
    if channel is not None and not 0 <= channel < info.n_channels:
        raise AudioError(
            f"{path}: has no channel {channel}; its channels are 0 to {info.n_channels - 1}"
        )


def _segment(path: Path, info: AudioInfo, offset: float, duration: float | None) -> tuple[int, int]:
    """The half-open span of samples, at the recording's own rate, that a segment covers."""
    start = round(offset * info.sample_rate)
    end = info.n_samples if duration is None else round((offset + duration) * info.sample_rate)
    latest = info.n_samples + round(SEGMENT_TOLERANCE * info.sample_rate)
    if not 0 <= start < min(end, info.n_samples) or end > latest:
        wanted = "its end" if duration is None else f"{offset + duration:g} s"
        raise AudioError(
            f"{path}: has no segment from {offset:g} s to {wanted}; it lasts {info.duration:g} s"
        )
    return start, min(end, info.n_samples)


def _decode(recording: Recording, start: int, end: int, channel: int | None) -> NDArray[np.float32]:
    """Decode samples start to end, or as many of them as there are, as one channel."""
    if recording.format == "MP3":  # for the same reason as in Recording
        _skip(recording, start)
    else:
        recording.seek(start)
    blocks = [np.zeros(0, dtype=np.float32)]
    remaining = end - start
    while remaining and len(block := _read_block(recording, remaining)):
        blocks.append(_one_channel(block, channel))
        remaining -= len(block)
    return np.concatenate(blocks)


def _skip(recording: Recording, n_samples: int) -> None:
    while n_samples and (n_read := len(_read_block(recording, n_samples))):
        n_samples -= n_read


def _read_block(recording: Recording, n_wanted: int) -> NDArray[np.float32]:
    """The next samples, (N, channels), N <= n_wanted; N = 0 only at the recording's end."""
    block: NDArray[np.float32] = recording.read(
        min(n_wanted, BLOCK_SAMPLES), dtype="float32", always_2d=True
    )
    return block


def _one_channel(block: NDArray[np.float32], channel: int | None) -> NDArray[np.float32]:
    """Pick a channel of (N, channels), or mix all of them down by their mean."""
    if block.shape[1] == 1 or channel is not None:
        return block[:, channel or 0]
    with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is refused later
        mixed: NDArray[np.float32] = block.mean(axis=1)
    return mixed


def _check_finite(path: Path, waveform: NDArray[np.float32], start: int, sample_rate: int) -> None:
    finite = np.isfinite(waveform)
    if not finite.all():
        first = (start + int(finite.argmin())) / sample_rate
        raise AudioError(
            f"{path}: {len(waveform) - int(finite.sum())} of its samples are NaN or infinite, "
            f"the first at {first:.3f} s; export it again"
        )


def _resample(
    path: Path, waveform: NDArray[np.float32], from_rate: int, to_rate: int
) -> NDArray[np.float32]:
    if from_rate == to_rate:
        return waveform
    resampled: NDArray[np.float32] = soxr.resample(waveform, from_rate, to_rate, quality="HQ")
    if not len(resampled):
        raise AudioError(
            f"{path}: {len(waveform)} samples at {from_rate} Hz are too few to resample"
        )
    return resampled
