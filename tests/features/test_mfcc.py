"""Cepstra: an orthonormal transform of log-mel energies, liftered."""

import pytest
import torch

from asr.features.mfcc import Mfcc, dct, lifter


def test_the_transform_is_orthonormal() -> None:
    torch.testing.assert_close(dct(23).T @ dct(23), torch.eye(23, dtype=torch.float64))


def test_a_flat_spectrum_has_only_c0() -> None:
    cepstra = Mfcc(n_mels=16, n_ceps=13)(torch.full((1, 2, 16), 3.0))
    torch.testing.assert_close(cepstra[0, :, 0], torch.full((2,), 12.0))  # 3 * sqrt(16)
    assert cepstra[0, :, 1:].abs().max() < 1e-5


def test_the_lifter_is_htks() -> None:
    expected = [1.0, 2.565463, 4.099059, 5.569565]  # 1 + 11 sin(pi n / 22)
    assert lifter(4).tolist() == pytest.approx(expected, abs=1e-6)


def test_zero_padding_stays_zero() -> None:
    assert (Mfcc(n_mels=23, n_ceps=13)(torch.zeros(2, 3, 23)) == 0.0).all()


def test_nothing_is_stored_with_the_model() -> None:
    assert not Mfcc(n_mels=23, n_ceps=13).state_dict()
