"""Read a recording of any common format, sample rate and channel count as one mono waveform.

A file that cannot be used is refused with an `AudioError` that names it and gives the reason.
Nothing is ever invented in its place, neither silence nor a shortened waveform.
"""

from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from asr.audio.recording import Recording, open_recording, truncated
from asr.errors import AudioError

# Decoding goes block by block: memory then follows what the file holds, not what a corrupt header
# claims, and the channels of a long recording are mixed before the next block is read.
BLOCK_SAMPLES = 1 << 20
# Seconds by which a segment may end after its recording: manifests round, and tools that estimate
# an MP3's length from its size are off by tenths of a second.
SEGMENT_TOLERANCE = 0.5
# Some MP3 encoders count their header frame as a frame of audio.
MP3_FRAME_SAMPLES = 1152


def read_duration(path: Path | str) -> float:
    """Read a recording's length in seconds, more than 0, from its header.

    Damage that only decoding reveals (in the middle of a file, or the missing end of a FLAC file)
    goes unnoticed.

    Raises:
        AudioError: The file is missing, a folder, not a regular file, not readable, empty, not
            audio, visibly truncated, without samples, or has a sample rate below 1000 Hz.
    """
    with open_recording(Path(path)) as recording:
        seconds: float = recording.frames / recording.samplerate
    return seconds


def read_waveform(
    path: Path | str,
    *,
    sample_rate: int,
    channel: int | None = None,
    offset: float = 0.0,
    duration: float | None = None,
) -> NDArray[np.float32]:
    """Decode a recording, or a segment of it, to a mono waveform.

    Integer samples of any width are scaled to [-1, 1]; floating-point samples are returned as
    stored. A missing end is detected as `find_truncation` describes, and whenever the decoder
    returns fewer samples than the header promised. It cannot be detected in an MP3 file without a
    frame count that was cut exactly between two frames or lacks only its last frame, nor in the
    part of a FLAC file that a segment does not touch.

    Args:
        path: A WAV, FLAC, Ogg (Vorbis, Opus), MP3 or AIFF file.
        sample_rate: Hz of the result; the recording is resampled (soxr, HQ) if its own differs.
        channel: Counted from 0; None takes the mean of all channels.
        offset: Start of the segment in seconds.
        duration: Seconds; None reads to the end of the recording. A segment may end up to 0.5 s
            after the recording; what is there is returned.

    Returns:
        (N,) float32, finite, N >= 1.

    Raises:
        AudioError: As for `read_duration`; or the file turns out to be truncated or damaged, has
            NaN or infinite samples, no such channel or no such segment, or is too short to
            resample.
    """
    path = Path(path)
    with open_recording(path) as recording:
        if channel is not None and not 0 <= channel < recording.channels:
            raise AudioError(
                f"{path}: has no channel {channel}; its channels are 0 to {recording.channels - 1}"
            )
        start, end = _segment(path, recording, offset, duration)
        waveform = _decode(recording, start, end, channel)
        missing = end - start - len(waveform)
        if missing > (MP3_FRAME_SAMPLES if recording.format == "MP3" else 0):
            raise truncated(path, f"{missing} of {end - start} samples are missing")
    _check_finite(path, waveform, start, recording.samplerate)
    return _resample(path, waveform, recording.samplerate, sample_rate)


def _segment(
    path: Path, recording: Recording, offset: float, duration: float | None
) -> tuple[int, int]:
    """Convert a segment to a half-open span of samples at the recording's own rate."""
    rate, n_samples = recording.samplerate, recording.frames
    start = round(offset * rate)
    end = n_samples if duration is None else round((offset + duration) * rate)
    if not 0 <= start < min(end, n_samples) or end > n_samples + round(SEGMENT_TOLERANCE * rate):
        wanted = "its end" if duration is None else f"{offset + duration:g} s"
        raise AudioError(
            f"{path}: has no segment from {offset:g} s to {wanted}; it lasts {n_samples / rate:g} s"
        )
    return start, min(end, n_samples)


def _decode(recording: Recording, start: int, end: int, channel: int | None) -> NDArray[np.float32]:
    """Decode samples start to end, or as many of them as there are, to one channel."""
    if recording.format == "MP3":  # seeking would click; see Recording
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
    """Decode the next samples, (N, channels), N <= n_wanted; N = 0 only at the end."""
    block: NDArray[np.float32] = recording.read(
        min(n_wanted, BLOCK_SAMPLES), dtype="float32", always_2d=True
    )
    return block


def _one_channel(block: NDArray[np.float32], channel: int | None) -> NDArray[np.float32]:
    """Pick a channel of (N, channels), or take the mean of all."""
    if block.shape[1] == 1 or channel is not None:
        return block[:, channel or 0]
    with np.errstate(over="ignore", invalid="ignore"):  # _check_finite refuses the result
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
