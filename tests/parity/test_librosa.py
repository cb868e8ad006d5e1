"""Parity with librosa where its definitions coincide with Kaldi's, and how far apart they are else.

They coincide in the spectrum of a windowed frame, the mel scale (with `htk=True`), the cosine
transform, and slopes away from the edges. They differ on purpose in the triangles, which librosa
draws straight over hertz and Kaldi straight over mel, and in the lifter, which librosa counts from
one.
"""

import librosa
import numpy as np
import pytest
import torch
from torch import Tensor

from asr.features.deltas import add_deltas
from asr.features.fbank import (
    MIN_LOG_ENERGY,
    PREEMPHASIS,
    SAMPLE_SCALE,
    LogMel,
    mel,
    mel_filters,
    povey_window,
)
from asr.features.mfcc import Mfcc, dct, lifter
from tests.conftest import make_config


@pytest.mark.corpus
def test_log_mel_above_the_reach_of_mean_removal_is_librosas(speech: list[Tensor]) -> None:
    config = make_config(
        features__n_mels=40,
        features__low_frequency=1000.0,
        features__high_frequency=6400.0,
        features__min_log_energy=MIN_LOG_ENERGY,
    )
    log_mel = LogMel(config.features)
    filters = mel_filters(40, 512, 16000, 1000.0, 6400.0).numpy()
    for waveform in speech[:4]:
        ours = log_mel(waveform.unsqueeze(0), torch.tensor([len(waveform)]))[0][0].numpy()
        theirs = np.log(np.maximum(_librosa_power(waveform).T @ filters, 1e-7))[: len(ours)]
        assert np.abs(ours - theirs).mean() <= 1e-4


def test_mel_scale_is_librosas_htk_scale() -> None:
    frequencies = torch.linspace(0, 8000, 50, dtype=torch.float64)
    theirs = librosa.hz_to_mel(frequencies.numpy(), htk=True)
    np.testing.assert_allclose(mel(frequencies).numpy(), theirs, rtol=2e-5)  # 1127 is rounded


def test_filters_peak_where_librosas_do_and_differ_little_between() -> None:
    ours = mel_filters(40, 4096, 16000, 20.0, 8000.0).numpy().T
    theirs = librosa.filters.mel(
        sr=16000, n_fft=4096, n_mels=40, fmin=20.0, fmax=8000.0, htk=True, norm=None
    )
    assert (np.abs(ours.argmax(1) - theirs.argmax(1)) <= 1).all()
    assert np.abs(ours - theirs).max() <= 0.03


def test_cosine_transform_is_librosas() -> None:
    log_mel = torch.randn(30, 23, generator=torch.Generator().manual_seed(1))
    theirs = librosa.feature.mfcc(S=log_mel.numpy().T, n_mfcc=13, dct_type=2, norm="ortho").T
    np.testing.assert_allclose((log_mel @ dct(23)[:, :13].float()).numpy(), theirs, atol=1e-5)
    liftered = Mfcc(23, 13)(log_mel)
    np.testing.assert_allclose(liftered.numpy(), theirs * lifter(13).numpy(), atol=1e-4)


def test_slopes_away_from_the_edges_are_librosas() -> None:
    features = torch.randn(1, 30, 5, generator=torch.Generator().manual_seed(1))
    ours = add_deltas(features, torch.tensor([30]), order=1)[0, :, 5:]
    theirs = librosa.feature.delta(features[0].numpy().T, width=5).T
    np.testing.assert_allclose(ours[2:-2].numpy(), theirs[2:-2], atol=1e-5)


def _librosa_power(waveform: Tensor) -> np.ndarray:
    """Compute the power spectra of our frames, (257, T), by librosa's STFT."""
    samples = waveform.numpy() * SAMPLE_SCALE
    emphasised = np.append(samples[:1], samples[1:] - PREEMPHASIS * samples[:-1])
    centred = np.pad(emphasised, 56)  # librosa centres a window of 400 in 512 samples
    window = np.pad(povey_window(400).numpy(), 56)
    spectrum = librosa.stft(centred, n_fft=512, hop_length=160, window=window, center=False)
    power: np.ndarray = np.square(np.abs(spectrum))
    return power
