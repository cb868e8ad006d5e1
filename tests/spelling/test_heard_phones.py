from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from asr.search.hypothesis import Alignment
from asr.spelling.heard_phones import (
    FIRST,
    LAST,
    PIECE,
    Draw,
    HeardPhones,
    Said,
    cut_emission,
)


def said(*words: Sequence[int]) -> Said:
    return Said.of([np.array(word, np.int64) for word in words])


def always(chance: float) -> Draw:
    return lambda n: np.full(n, chance)


def aligned(what: Said, frames: Sequence[int], n_frames: int) -> Alignment:
    """Say each phone in one frame, and nothing in the others."""
    alignment = np.zeros(n_frames, np.intp)
    alignment[list(frames)] = what.phones
    return alignment


def heard(*utterances: tuple[Said, Sequence[int], int, int]) -> HeardPhones:
    """Hear utterances (what, when, of how many frames, which hearing) of 6 phones.

    Frame n of all has the log-probability -n of everything, so that it can be told again.
    """
    pieces, n_frames = [], 0
    for what, frames, length, hearing in utterances:
        alignment = aligned(what, frames, length)
        pieces.append(cut_emission(what, alignment, hearing=hearing, start=n_frames))
        n_frames += length
    numbers = -np.arange(n_frames, dtype=np.float16)
    return HeardPhones(np.repeat(numbers[:, None], 6, axis=1), np.concatenate(pieces))


def test_edges_tell_where_words_begin_and_end() -> None:
    assert said([1, 2, 3], [4], [5, 1]).edges.tolist() == [
        FIRST, 0, LAST, FIRST | LAST, FIRST, LAST,
    ]  # fmt: skip
    assert len(said()) == 0


def test_an_emission_is_cut_halfway_through_its_blanks_and_nothing_is_lost() -> None:
    alignment = np.array([0, 0, 1, 1, 1, 0, 0, 0, 2, 3, 3, 0])
    pieces = cut_emission(said([1, 2], [3]), alignment, hearing=4, start=100)

    assert pieces["start"].tolist() == [100, 107, 109]  # the odd blank goes to the phone before it
    assert pieces["length"].tolist() == [7, 2, 3]
    assert pieces["left"].tolist() == [0, 1, 2]
    assert pieces["right"].tolist() == [2, 3, 0]
    assert pieces["hearing"].tolist() == [4, 4, 4]


def test_what_was_heard_once_comes_back_as_it_was() -> None:
    what = said([1, 2], [3, 4])
    phones = heard((what, [1, 3, 6, 7], 10, 0))

    assert phones.say(what, 0, always(0.5)).tolist() == list(range(10))


def test_pieces_are_taken_from_the_hearing_asked_for() -> None:
    what = said([1, 2])
    phones = heard((what, [1, 3], 5, 0), (what, [0, 2], 4, 1))

    assert phones.n_hearings == 2
    assert phones.say(what, 1, always(0.0)).tolist() == [5, 6, 7, 8][:4]
    assert phones.say(what, 0, always(0.0)).tolist() == [0, 1, 2, 3, 4]


def test_a_piece_in_the_same_company_goes_before_others() -> None:
    """Phone 2 was said three times between 1 and 3, and three times between 3 and 1."""
    one_way = [(said([1, 2, 3]), [0, 1, 2], 3, 0)] * 3
    other_way = [(said([3, 2, 1]), [0, 1, 2], 3, 0)] * 3
    phones = heard(*one_way, *other_way)

    for chance in (0.0, 0.4, 0.99):
        middle = phones.say(said([1, 2, 3]), 0, always(chance))[1]
        assert middle in {1, 4, 7}
        middle = phones.say(said([3, 2, 1]), 0, always(chance))[1]
        assert middle in {10, 13, 16}


def test_company_that_was_heard_too_seldom_counts_for_less() -> None:
    """Between 4 and 5 phone 2 was said once only, behind 4 otherwise three times more."""
    often = [(said([4, 2, 1]), [0, 1, 2], 3, 0)] * 3
    phones = heard((said([4, 2, 5]), [0, 1, 2], 3, 0), *often)

    middles = {int(phones.say(said([4, 2, 5]), 0, always(c))[1]) for c in (0.0, 0.3, 0.6, 0.9)}

    assert middles == {1, 4, 7, 10}


def test_the_same_phone_twice_is_cut_through_the_blank_between() -> None:
    alignment = np.array([1, 1, 0, 1, 2])
    pieces = cut_emission(said([1], [1, 2]), alignment, hearing=0, start=0)

    assert pieces["length"].tolist() == [3, 1, 1]


def test_a_recording_is_followed_for_as_long_as_it_says_what_is_wanted() -> None:
    """Between 2 and 4 phone 3 was said by the last ones, but behind the drawn 2 it goes on too."""
    first = (said([1, 2, 3]), [0, 1, 2], 3, 0)
    last = (said([2, 3, 4]), [0, 1, 2], 3, 0)
    phones = heard(*[first] * 3, *[last] * 3)

    assert phones.say(said([1, 2, 3, 4]), 0, always(0.0)).tolist() == [0, 1, 2, 11]


def test_a_recording_is_not_followed_where_a_word_begins_that_does_not_there() -> None:
    together, apart = said([1, 2, 3]), said([1, 2], [3])
    phones = heard(*[(together, [0, 1, 2], 3, 0)] * 3, *[(apart, [0, 1, 2], 3, 0)] * 3)

    assert phones.say(together, 0, always(0.0)).tolist() == [0, 1, 2]
    assert phones.say(apart, 0, always(0.0)).tolist() == [0, 1, 11]


def test_a_recording_is_not_followed_into_the_next_one() -> None:
    """Behind the recording of 1 begins the first one of 2; drawn is the last."""
    phones = heard((said([1]), [0], 1, 0), *[(said([2]), [0], 1, 0)] * 3)

    assert phones.say(said([1], [2]), 0, always(0.99)).tolist() == [0, 3]


@pytest.mark.parametrize("seed", range(20))
def test_whatever_is_said_each_phone_is_one_that_was_heard_as_such(seed: int) -> None:
    generator = np.random.default_rng(seed)
    utterances = []
    for hearing in (0, 1):
        every = [generator.permutation(np.arange(1, 6)) for _ in range(3)]
        what = said(*(word.tolist() for word in every))
        frames = 2 * np.sort(generator.choice(30, len(what), replace=False))
        utterances.append((what, frames.tolist(), 60, hearing))
    phones = heard(*utterances)
    new = said(*(generator.integers(1, 6, size=n).tolist() for n in (1, 3, 2)))

    frames = phones.say(new, 1, generator.random)

    by_frame = {
        start + i: int(piece["phone"])
        for piece in phones.pieces
        if piece["hearing"] == 1
        for start in [int(piece["start"])]
        for i in range(int(piece["length"]))
    }
    spoken = [by_frame[frame] for frame in frames.tolist()]  # no frame of the other hearing
    collapsed = [p for i, p in enumerate(spoken) if i == 0 or spoken[i - 1] != p]
    wanted = new.phones.tolist()
    assert collapsed == [p for i, p in enumerate(wanted) if i == 0 or wanted[i - 1] != p]


def test_a_phone_that_one_hearing_lacks_cannot_be_said() -> None:
    phones = heard((said([1, 2]), [1, 3], 5, 0), (said([1, 3]), [1, 3], 5, 1))

    assert phones.phones == {1}


def test_what_was_heard_is_kept_in_a_file_under_the_name_of_its_run(tmp_path: Path) -> None:
    phones = heard((said([1, 2]), [1, 3], 5, 0))
    path = tmp_path / "heard.safetensors"
    assert HeardPhones.read(path, "run") is None

    phones.write(path, "run")

    again = HeardPhones.read(path, "run")
    assert again is not None
    assert again.pieces.dtype == PIECE
    assert np.array_equal(again.pieces, phones.pieces)
    assert np.array_equal(again.log_probs, phones.log_probs)
    assert HeardPhones.read(path, "another run") is None
