"""What is written can be read again."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from asr.audio.read import read_waveform
from asr.audio.write import write_waveform


@pytest.mark.parametrize("ending", ["wav", "flac", "aiff"])
def test_a_waveform_survives_writing_and_reading(tmp_path: Path, ending: str) -> None:
    waveform = np.linspace(-1, 1, 999)

    write_waveform(tmp_path / f"a.{ending}", waveform, 8000)

    assert soundfile.info(tmp_path / f"a.{ending}").samplerate == 8000
    written = read_waveform(tmp_path / f"a.{ending}", sample_rate=8000)
    assert np.allclose(written, waveform, atol=1e-4)


def test_what_is_too_loud_is_clipped_and_does_not_wrap_around(tmp_path: Path) -> None:
    write_waveform(tmp_path / "a.flac", np.array([2.0, -3.0]), 8000)

    written = read_waveform(tmp_path / "a.flac", sample_rate=8000)
    assert np.allclose(written, [1.0, -1.0], atol=1e-4)


@pytest.mark.parametrize("ending", ["wav", "flac", "aiff", "ogg", "mp3"])
def test_the_format_is_the_one_that_the_ending_names(tmp_path: Path, ending: str) -> None:
    path = tmp_path / "folder" / f"a.{ending}"

    write_waveform(path, np.zeros(8000), 8000)

    assert soundfile.info(path).format == ending.upper()
    assert len(read_waveform(path, sample_rate=8000)) == 8000
