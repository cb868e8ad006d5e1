"""Codec: a waveform as it sounds after strong MP3 compression."""

import io

import numpy as np
import soundfile
from numpy.typing import NDArray

from asr.augment.config import check_mp3_rate

# libsndfile's settings that yield 20 to 30 kbit/s for speech at 16 kHz, which is audible.
MP3_SETTINGS = (("CONSTANT", 0.9), ("VARIABLE", 0.99), ("VARIABLE", 0.75))
# Samples, of encoder and decoder, which libsndfile does not remove with a constant bit rate.
DELAY = 1105


def through_mp3(
    waveform: NDArray[np.float32], sample_rate: int, setting: int
) -> NDArray[np.float32]:
    """Encode a waveform, (N,), as MP3 and decode it again, without the codec's delay.

    Args:
        waveform: In [-1, 1].
        sample_rate: One of `MP3_SAMPLE_RATES`.
        setting: Index into `MP3_SETTINGS`.

    Raises:
        ConfigError: MP3 does not support the sample rate.
    """
    check_mp3_rate(sample_rate)
    mode, level = MP3_SETTINGS[setting]
    file = io.BytesIO()
    settings = {"bitrate_mode": mode, "compression_level": level}
    soundfile.write(file, waveform, sample_rate, format="MP3", **settings)
    file.seek(0)
    decoded, _ = soundfile.read(file, dtype="float32")
    n_extra = max(0, len(decoded) - len(waveform))
    aligned: NDArray[np.float32] = decoded[min(n_extra, DELAY) :][: len(waveform)]
    return np.pad(aligned, (0, len(waveform) - len(aligned)))
