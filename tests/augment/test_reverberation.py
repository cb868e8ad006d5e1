import pytest
import torch
from torch import Tensor

from asr.augment.reverberation import DIRECT_DB, T60, reverberate, room_response

RATE = 16000


def speech(n_samples: int = RATE) -> Tensor:
    return 0.1 * torch.randn(n_samples, generator=torch.Generator().manual_seed(0))


def test_it_is_the_convolution_with_the_response_of_the_room_at_the_level_before() -> None:
    waveform, response = speech(300), room_response(RATE, 5)

    played = reverberate(waveform, RATE, 5)

    slow = torch.stack(
        [
            sum((response[k] * waveform[n - k] for k in range(n + 1)), torch.zeros(()))
            for n in range(len(waveform))
        ]
    )
    slow *= waveform.norm() / slow.norm()
    torch.testing.assert_close(played, slow, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_the_level_and_the_length_are_kept(seed: int) -> None:
    waveform = speech()

    played = reverberate(waveform, RATE, seed)

    assert (played.shape, played.dtype) == (waveform.shape, torch.float32)
    assert float(played.norm()) == pytest.approx(float(waveform.norm()), rel=1e-4)


def test_the_direct_path_comes_first_and_the_echoes_have_their_share_of_energy() -> None:
    responses = [room_response(RATE, seed) for seed in range(100)]

    ratios = [float(-10 * torch.log10(response[1:].square().sum())) for response in responses]

    assert all(response[0] == 1.0 for response in responses)
    assert DIRECT_DB[0] - 0.01 < min(ratios) < max(ratios) < DIRECT_DB[1] + 0.01
    assert max(ratios) - min(ratios) > 8


def test_rooms_are_small_and_large_and_their_echoes_fall_by_60_db() -> None:
    seconds = [len(room_response(RATE, seed)) / RATE for seed in range(100)]

    assert T60[0] <= min(seconds) < 0.13
    assert 0.47 < max(seconds) <= T60[1]
    first, last = (
        torch.stack(
            [
                room_response(RATE, seed)[1:].unfold(0, 200, 200)[part].square().mean()
                for seed in range(100)
            ]
        ).mean()
        for part in (0, -1)
    )
    assert 50 < float(10 * torch.log10(first / last)) < 62


def test_the_seed_decides_and_nothing_else() -> None:
    assert torch.equal(reverberate(speech(), RATE, 1), reverberate(speech(), RATE, 1))
    assert not torch.allclose(reverberate(speech(), RATE, 1), reverberate(speech(), RATE, 2))


@pytest.mark.parametrize("n_samples", [1, 2, 3, 16001])
def test_silence_stays_silent_whatever_its_length(n_samples: int) -> None:
    assert torch.equal(reverberate(torch.zeros(n_samples), RATE, 0), torch.zeros(n_samples))
