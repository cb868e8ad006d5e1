"""Write a waveform to a file."""

from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray


def write_waveform(path: Path | str, waveform: NDArray[np.floating], sample_rate: int) -> None:
    """Write a mono waveform as 16-bit samples, in the format that the file's ending names.

    Args:
        path: Ending in .flac, .wav, .aiff, .ogg or .mp3; the folder must be there.
        waveform: (N,) float in [-1, 1]; what lies beyond is clipped.
        sample_rate: Hz.
    """
    soundfile.write(Path(path), waveform.clip(-1.0, 1.0), sample_rate)
