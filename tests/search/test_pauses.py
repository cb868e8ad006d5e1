"""Pauses end sentences: in the whole as in pieces, and what was said before is forgotten."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.search.beam import BeamConfig
from asr.search.beam_search import BeamSearch
from asr.search.emission import BLANK, Emission
from asr.search.fusion import Fusion
from asr.search.hypothesis import Hypothesis
from asr.search.pauses import Pauses
from asr.search.running_beam import RunningBeamSearch
from tests.search.conftest import pieces_of, random_log_probs

CONFIG = BeamConfig(beam_size=12, beam_threshold=9.0, n_best=1, lm_weight=0.8, word_score=0.3)
PAUSE = 5
N_TOKENS = 4


def silence(n_frames: int, n_tokens: int = N_TOKENS) -> Emission:
    probs = np.full((n_frames, n_tokens), 0.001 / (n_tokens - 1))
    probs[:, BLANK] = 0.999
    emission: Emission = np.log(probs)
    return emission


def with_pauses(seed: int, n_tokens: int, pauses: Sequence[int]) -> Emission:
    """Random sentences of 20 frames, with pauses before, between and after them."""
    parts = [silence(pauses[0], n_tokens)]
    for i, n in enumerate(pauses[1:]):
        parts += [random_log_probs(seed + i, 20, n_tokens, scale=3.0), silence(n, n_tokens)]
    return np.concatenate(parts)


def ends(emission: Emission, sizes: Sequence[int] = ()) -> list[int]:
    """The frames after which a sentence is over."""
    pauses, found, n = Pauses(PAUSE), [], 0
    for piece in pieces_of(emission, sizes):
        for part, is_end in pauses.parts(piece):
            n += len(part)
            found += [n] * is_end
    assert n == len(emission)
    return found


@given(st.lists(st.integers(0, 9), max_size=30))
def test_a_sentence_is_over_once_in_each_pause_after_speech(sizes: list[int]) -> None:
    speech = np.log(np.full((3, N_TOKENS), 1 / N_TOKENS))
    long, short = silence(3 * PAUSE), silence(PAUSE - 1)
    emission = np.concatenate([long, speech, short, speech, long, speech, silence(PAUSE)])

    first, last = 3 * PAUSE + 3 + PAUSE - 1 + 3 + PAUSE, len(emission)
    assert ends(emission, sizes) == [first, last]


def test_without_a_length_no_pause_ends_a_sentence() -> None:
    emission = silence(100)

    assert [is_end for _, is_end in Pauses(None).parts(emission)] == [False]


@pytest.mark.parametrize("kind", ["characters", "phones"])
@pytest.mark.parametrize("seed", range(0, 40, 4))
def test_sentences_between_pauses_are_found_as_by_themselves(
    fusions: dict[str, Fusion], kind: str, seed: int
) -> None:
    language = fusions[kind].language
    n_tokens = len(language.begins_word)
    emission = with_pauses(seed, n_tokens, [0, 8, 6])
    search, alone = BeamSearch(CONFIG, language, pause=PAUSE), BeamSearch(CONFIG, language)

    (found,) = search.search(emission)

    middle, end = ends(emission)
    first, second = (alone.search(part)[0] for part in (emission[:middle], emission[middle:end]))
    assert [word.word for word in found.words] == [w.word for w in (*first.words, *second.words)]
    assert found.score == pytest.approx(first.score + second.score, rel=1e-9)
    assert found.lm_score == pytest.approx(first.lm_score + second.lm_score, rel=1e-9)
    assert list(found.frames) == sorted(set(found.frames))
    assert [found.tokens[word.start] for word in found.words] == [
        part.tokens[word.start] for part in (first, second) for word in part.words
    ]


@pytest.mark.parametrize("kind", ["characters", "phones"])
@given(seed=st.integers(0, 200), sizes=st.lists(st.integers(0, 9), min_size=1, max_size=30))
def test_pauses_in_pieces_are_those_of_the_whole(
    fusions: dict[str, Fusion], kind: str, seed: int, sizes: list[int]
) -> None:
    language = fusions[kind].language
    emission = with_pauses(seed, len(language.begins_word), [7, 4, 12, 6])
    search = BeamSearch(CONFIG, language, pause=PAUSE)
    running = RunningBeamSearch(search)

    settled = [one for piece in pieces_of(emission, sizes) for one in running.read(piece)]
    parts = [*settled, running.finish()[0]]

    (whole,) = search.search(emission)
    assert [w.word for part in parts for w in part.words] == [w.word for w in whole.words]
    assert parts[-1].score == pytest.approx(whole.score, rel=1e-9)


def test_alternatives_are_the_best_pairs_of_those_on_both_sides(fusions: dict[str, Fusion]) -> None:
    language = fusions["phones"].language
    config = BeamConfig(beam_size=30, beam_threshold=20.0, n_best=6, lm_weight=0.8)
    emission = with_pauses(3, N_TOKENS, [0, 5, 5])

    found = BeamSearch(config, language, pause=PAUSE).search(emission)

    alone, (middle, end) = BeamSearch(config, language), ends(emission)
    sides = [alone.search(part) for part in (emission[:middle], emission[middle:end])]
    best = sorted(-a.score - b.score for a in sides[0] for b in sides[1])[:6]
    assert [-one.score for one in found] == pytest.approx(best, rel=1e-9)


def test_a_word_on_either_side_of_a_pause_is_one_hypothesis(fusions: dict[str, Fusion]) -> None:
    unsure = np.log(np.full((2, N_TOKENS), 1 / N_TOKENS))  # AB or nothing, before and after
    emission = np.concatenate([unsure, silence(PAUSE), unsure, silence(1)])
    config = BeamConfig(beam_size=30, beam_threshold=20.0, n_best=30, lm_weight=0.8)

    found = BeamSearch(config, fusions["phones"].language, pause=PAUSE).search(emission)

    alone = BeamSearch(config, fusions["phones"].language)
    texts = [tuple(word.word for word in one.words) for one in found]
    assert len(texts) == len(set(texts)) > 2
    first, second = alone.search(emission[: 2 + PAUSE]), alone.search(emission[2 + PAUSE :])
    assert len(texts) < len(first) * len(second)


def test_silence_alone_is_an_empty_hypothesis(fusions: dict[str, Fusion]) -> None:
    search = BeamSearch(CONFIG, fusions["phones"].language, pause=PAUSE)
    running = RunningBeamSearch(search)

    assert running.read(silence(40)) == []
    assert search.search(silence(40)) == running.finish() == [Hypothesis((), (), (), (), 0.0, 0.0)]
