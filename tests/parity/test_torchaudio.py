"""The same features as torchaudio's port of Kaldi, where torchaudio imports."""

import pytest
import torch
from torch import Tensor

from asr.features.fbank import MIN_LOG_ENERGY, SAMPLE_SCALE, LogMel
from asr.features.mfcc import Mfcc
from tests.conftest import make_config

kaldi = pytest.importorskip(
    "torchaudio.compliance.kaldi", reason="torchaudio does not import", exc_type=ImportError
)


@pytest.mark.corpus
@pytest.mark.parametrize("n_ceps", [0, 13])
def test_speech_gives_torchaudios_features(speech: list[Tensor], n_ceps: int) -> None:
    config = make_config(
        features__n_mels=23,
        features__low_frequency=20.0,
        features__high_frequency=8000.0,
        features__min_log_energy=MIN_LOG_ENERGY,
    )
    log_mel = LogMel(config.features)
    cepstra = Mfcc(23, n_ceps) if n_ceps else torch.nn.Identity()
    options = {"num_mel_bins": 23, "low_freq": 20.0, "high_freq": 8000.0, "dither": 0.0}
    differences = []
    for waveform in speech:
        scaled = waveform.unsqueeze(0) * SAMPLE_SCALE
        theirs = kaldi.mfcc(scaled, **options) if n_ceps else kaldi.fbank(scaled, **options)
        features, _ = log_mel(waveform.unsqueeze(0), torch.tensor([len(waveform)]))
        differences.append((cepstra(features[0]) - theirs).abs())
    assert torch.cat(differences).mean() <= 1e-4
    assert torch.cat(differences).max() <= 1e-2
