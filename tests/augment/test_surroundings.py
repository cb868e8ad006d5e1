import numpy as np

from asr.augment.surroundings import Surroundings, Waveforms
from tests.conftest import make_config

VOICES = [np.sin(np.arange(4000) / k).astype(np.float32) for k in (5.0, 7.0)]


def no_voices() -> Waveforms:
    raise AssertionError("nobody needs speech here")


def test_only_what_has_a_share_is_made() -> None:
    noisy, none = make_config(augment__silence_share=0.1).augment, make_config().augment

    some, nothing = (Surroundings.make(config, 16000, 1, no_voices) for config in (noisy, none))

    assert (len(some.babble), len(some.rooms)) == (0, 0)
    assert len(some.noise) > 0
    assert (len(nothing.noise), len(nothing.babble), len(nothing.rooms)) == (0, 0, 0)


def test_all_of_it_takes_less_than_100_mb() -> None:
    shares = {f"augment__{name}_share": 0.1 for name in ("noise", "babble", "reverb")}

    made = Surroundings.make(make_config(**shares).augment, 16000, 1, lambda: VOICES)

    n_bytes = made.noise.nbytes + made.babble.nbytes + sum(room.nbytes for room in made.rooms)
    assert 10e6 < n_bytes < 100e6
