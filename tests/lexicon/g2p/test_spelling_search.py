"""The search against all graphones there are for a word, scored one by one."""

from itertools import product

import numpy as np
import pytest

from asr.lexicon.g2p.spelling_search import N_SPECIAL, Graphones, make_beam, spell
from asr.lm.backoff import score_segment
from asr.lm.counts import count_ngrams, kept_ngrams
from asr.lm.kneser_ney import estimate
from asr.lm.ngram import NGram
from asr.lm.vocabulary import END_ID, START_ID, Vocabulary

LETTER_OF = np.array([0, 0, 0, 1, 1, 2, 2, 2])  # of each of eight graphones
HAS_UNITS = np.array([0, 1, 1, 0, 1, 0, 1, 1], np.bool_)


@pytest.fixture(scope="module")
def model() -> NGram:
    """Trigrams of random sequences."""
    rng = np.random.default_rng(0)
    tokens = []
    for _ in range(60):
        tokens += [START_ID, *(N_SPECIAL + rng.integers(0, 8, rng.integers(1, 6))), END_ID]
    vocabulary = Vocabulary.of(map(str, range(8)))
    levels = list(count_ngrams(np.array(tokens, np.int32), len(vocabulary), 3))
    return estimate(levels, kept_ngrams(levels, len(vocabulary)), vocabulary)


@pytest.fixture(scope="module")
def graphones(model: NGram) -> Graphones:
    firsts = np.searchsorted(LETTER_OF, range(4)).astype(np.int32)
    return Graphones(model.nodes, firsts, HAS_UNITS)


def spelled(graphones: Graphones, words: list[tuple[int, ...]], beam_size: int = 100) -> np.ndarray:
    letters = np.full((len(words), 4), -1, np.int32)
    for row, word in zip(letters, words, strict=True):
        row[: len(word)] = word
    n_shared = np.zeros(len(words), np.int32)
    for i in range(1, len(words)):
        while n_shared[i] < min(map(len, words[i - 1 : i + 1])) and (
            words[i - 1][n_shared[i]] == words[i][n_shared[i]]
        ):
            n_shared[i] += 1
    found = np.zeros_like(letters)
    spell(graphones, letters, n_shared, make_beam(4, beam_size), 100.0, found)
    return found


def all_words() -> list[tuple[int, ...]]:
    return sorted(word for n in range(1, 5) for word in product(range(3), repeat=n))


def test_the_most_probable_graphones_that_say_anything_are_found(
    graphones: Graphones, model: NGram
) -> None:
    for word, found in zip(all_words(), spelled(graphones, all_words()), strict=True):
        choices = product(*(np.flatnonzero(letter == LETTER_OF).tolist() for letter in word))
        best = max(
            (choice for choice in choices if HAS_UNITS[list(choice)].any()),
            key=lambda choice: score_segment(
                model.nodes,
                N_SPECIAL + np.array(choice, np.int32),
                np.empty(len(choice) + 1),
            ),
        )
        assert tuple(found[: len(word)]) == best
        assert (found[len(word) :] == -1).all()


def test_a_word_is_spelled_as_it_is_without_the_words_before_it(graphones: Graphones) -> None:
    together = spelled(graphones, all_words(), beam_size=2)
    alone = [spelled(graphones, [word], beam_size=2)[0] for word in all_words()]
    np.testing.assert_array_equal(together, alone)


def test_a_letter_that_is_always_silent_says_nothing(graphones: Graphones) -> None:
    silent = graphones._replace(has_units=np.zeros(8, np.bool_))
    assert (spelled(silent, [(0, 1)]) == -1).all()
