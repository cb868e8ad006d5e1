"""Decode with FFmpeg, by PyAV, what libsndfile does not know: m4a, mp4, webm, mkv, wma, amr ..."""

from collections.abc import Iterator
from itertools import chain, groupby
from typing import TYPE_CHECKING, BinaryIO

from asr.audio.decoder import Block, cut
from asr.audio.layout import DecodingError, Part, View

if TYPE_CHECKING:
    from av import AudioFrame

# A file may refer to others; a name of no protocol keeps FFmpeg from opening them.
OPTIONS = {"protocol_whitelist": "none"}
# Containers that know their duration; that of others is estimated from a bit rate.
TIMED = {"mov", "mp4", "m4a", "matroska", "webm", "asf"}
# Seconds of which durations and the times of packets may be off.
TOLERANCE = 0.5


def has_ffmpeg() -> bool:
    """Tell whether PyAV is installed."""
    try:
        import av  # noqa: F401
    except ImportError:
        return False
    return True


class MediaDecoder:
    """Decodes the first audio track of a file with FFmpeg.

    Attributes:
        is_timed: The container says how long it is, so that a missing end is noticed.

    Raises:
        DecodingError: FFmpeg does not know the format, or finds no audio track in it.
    """

    def __init__(self, file: BinaryIO, part: Part) -> None:
        import av

        self._view = View(file, part)
        try:
            self._container = av.open(self._view, options=OPTIONS, metadata_errors="replace")
        except av.FFmpegError as error:
            raise DecodingError(f"FFmpeg says: {error.strerror}") from error
        tracks = [track for track in self._container.streams.audio if track.codec_context]
        if not tracks or not tracks[0].codec_context.channels:
            self._container.close()
            raise DecodingError("it has no audio track of a known codec")
        self._track = tracks[0]
        self.sample_rate = self._track.codec_context.sample_rate
        self.channels = self._track.codec_context.channels
        self.is_timed = bool(TIMED & set(self._container.format.name.split(",")))
        seconds = self._seconds() if self.is_timed else None
        self.n_samples = None if seconds is None else round(seconds * self.sample_rate)
        self.tolerance = round(TOLERANCE * self.sample_rate)

    def _seconds(self) -> float | None:
        import av

        if self._track.duration is not None and self._track.time_base is not None:
            return float(self._track.duration * self._track.time_base)
        length = self._container.duration
        return None if length is None else length / av.time_base

    def blocks(self, start: int, end: int | None) -> Iterator[Block]:
        """See `Decoder`. What comes before the start is decoded and dropped."""
        return cut(self._decode(), start, end)

    def _decode(self) -> Iterator[Block]:
        import av

        layout = self._track.codec_context.layout
        try:
            # Files that were joined may change their rate or channels midway.
            for _, frames in groupby(self._container.decode(self._track), _form):
                resampler = av.AudioResampler(format="flt", layout=layout, rate=self.sample_rate)
                for frame in chain(frames, [None]):  # None: what the resampler still holds
                    for converted in resampler.resample(frame):
                        yield converted.to_ndarray().reshape(-1, self.channels)
        except av.FFmpegError as error:
            raise self._view.error or DecodingError(f"FFmpeg stopped: {error.strerror}") from error
        except (ValueError, RuntimeError) as error:  # PyAV's own
            raise DecodingError(f"PyAV stopped: {error}") from error

    def close(self) -> None:
        """See `Decoder`."""
        self._container.close()


def _form(frame: "AudioFrame") -> tuple[str, str, int]:
    """Tell what a resampler cannot see change."""
    return frame.format.name, frame.layout.name, frame.sample_rate
