import pytest
import torch

from asr.augment.rendition import Rendition, render
from asr.augment.silence import MAX_SECONDS, add_silence, silence_seconds

RATE = 16000
SPEECH = 0.1 * torch.sin(torch.arange(RATE) / 10.0)


@pytest.mark.parametrize("seed", range(20))
def test_speech_lies_between_pauses_of_the_drawn_durations(seed: int) -> None:
    before, after = (round(seconds * RATE) for seconds in silence_seconds(seed))

    longer = add_silence(SPEECH, RATE, seed)

    assert len(longer) == before + RATE + after
    assert (longer[before : before + RATE] - SPEECH).abs().max() < 0.02
    assert longer[:before].abs().max() < 0.02


def test_pauses_have_every_duration_up_to_the_longest() -> None:
    drawn = torch.tensor([silence_seconds(seed) for seed in range(300)])

    assert drawn.min() < 0.1
    assert MAX_SECONDS - 0.1 < drawn.max() < MAX_SECONDS


def test_half_of_the_pauses_are_digital_silence() -> None:
    silent = [bool((add_silence(SPEECH, RATE, 2 * s)[:100] == 0.0).all()) for s in range(100)]

    assert 35 < sum(silent) < 65


def test_a_rendition_lasts_as_long_as_it_says() -> None:
    rendition = Rendition(speed=0.9, silence=5)

    assert len(render(SPEECH, RATE, rendition)) == pytest.approx(
        RATE * rendition.duration(1.0), abs=2
    )
