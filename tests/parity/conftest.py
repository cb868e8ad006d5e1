"""Recorded speech in two lossy formats: Ogg Vorbis, and MP3, which leaves its upper band empty."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from asr.audio.read import read_waveform

N_UTTERANCES = 12


@pytest.fixture(scope="session", params=["train-clean-5/*/*/*.ogg", "dev-clean/*/*/*.mp3"])
def decoded_speech(request: pytest.FixtureRequest, shared_data: Path) -> list[Tensor]:
    """Utterances spread over a corpus, as decoded, (N,) each, at 16 kHz."""
    paths = sorted((shared_data / "LibriSpeech").glob(request.param))
    chosen = paths[:: len(paths) // N_UTTERANCES][:N_UTTERANCES]
    return [torch.from_numpy(read_waveform(path, sample_rate=16000)) for path in chosen]


@pytest.fixture(scope="session")
def speech(decoded_speech: list[Tensor]) -> list[Tensor]:
    """The same utterances as 16-bit samples, which is what Kaldi reads."""
    return [(x * 32768).round().clamp(-32768, 32767) / 32768 for x in decoded_speech]


@pytest.fixture
def tone_in_noise() -> Tensor:
    """Half a second at 16 kHz that needs no recording: no band is empty."""
    time = torch.arange(8000) / 16000
    noise = torch.randn(8000, generator=torch.Generator().manual_seed(1))
    return 0.3 * torch.sin(2 * torch.pi * 440 * time) + 0.1 * noise
