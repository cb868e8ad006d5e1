"""Codec: a waveform as it sounds after strong MP3 compression."""

import io

import numpy as np
import soundfile
from numpy.typing import NDArray

from asr.augment.speed import of_length

# libsndfile's compression levels that yield 20 to 30 kbit/s for speech at 16 kHz, which is audible:
# nothing is left above 5, 6 and 7 kHz. A constant bit rate takes longer.
MP3_LEVELS = (0.99, 0.95, 0.75)


def through_mp3(
    waveform: NDArray[np.float32], sample_rate: int, setting: int
) -> NDArray[np.float32]:
    """Encode a waveform, (N,), as MP3 of variable bit rate and decode it again.

    Args:
        waveform: In [-1, 1].
        sample_rate: One of `MP3_SAMPLE_RATES`.
        setting: Index into `MP3_LEVELS`.

    Returns:
        (N,) float32, without the codec's delay, which libsndfile removes.
    """
    file = io.BytesIO()
    settings = {"bitrate_mode": "VARIABLE", "compression_level": MP3_LEVELS[setting]}
    soundfile.write(file, waveform, sample_rate, format="MP3", **settings)
    file.seek(0)
    decoded, _ = soundfile.read(file, dtype="float32")
    return of_length(decoded, len(waveform))
