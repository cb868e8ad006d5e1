"""Write a waveform to a file, or into memory."""

from io import BytesIO
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from asr.files import writing


def write_waveform(path: Path | str, waveform: NDArray[np.floating], sample_rate: int) -> None:
    """Write a mono waveform as 16-bit samples, in the format that the file's ending names.

    Args:
        path: Ending in .flac, .wav, .aiff, .ogg or .mp3; its folder is created if it is missing.
        waveform: (N,) float in [-1, 1]; what lies beyond is clipped.
        sample_rate: Hz.
    """
    path = Path(path)
    with writing(path) as file:
        clipped = waveform.clip(-1.0, 1.0)
        soundfile.write(file, clipped, sample_rate, format=path.suffix[1:].upper())


def flac(waveform: NDArray[np.floating], sample_rate: int) -> bytes:
    """Encode a mono waveform, (N,) float in [-1, 1], as the content of a FLAC file of 16 bits."""
    content = BytesIO()
    soundfile.write(content, waveform.clip(-1.0, 1.0), sample_rate, format="FLAC")
    return content.getvalue()
