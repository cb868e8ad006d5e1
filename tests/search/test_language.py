"""The beam search with words, a language model and hotwords, against the sum over everything."""

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from asr.errors import ConfigError, ShapeError
from asr.lm.backoff import score_segment
from asr.lm.ngram import NO_NODES, Nodes, make_nodes
from asr.lm.vocabulary import END_ID, START_ID, UNKNOWN_ID
from asr.search.beam import BeamConfig
from asr.search.beam_search import BeamSearch
from asr.search.hotwords import make_hotwords
from asr.search.hypothesis import Hypothesis
from asr.search.language import Language
from asr.search.lexicon import Spellings, make_lexicon
from tests.lm.conftest import log_prob_of
from tests.search.conftest import every_path, random_log_probs

LogProbs = NDArray[np.float64]
Words = tuple[int | None, ...]
Boosts = Mapping[str, float]
Model = dict[tuple[int, ...], tuple[float, float]]  # n-gram: log probability, back-off

EVERYTHING = BeamConfig(
    beam_size=4000,
    beam_threshold=math.inf,
    n_best=4000,
    lm_weight=0.7,
    word_score=0.4,
    unknown_score=-0.9,
)

# Tokens as characters, as pieces of words, and as phones, which have no boundary.
CHARACTERS = ("", "_", "a", "b")
PIECES = ("", "_a", "b", "_ab")
PHONES = ("", "a", "b")
WORDS = ("a", "ab", "ba", "b")


def spell(text: str) -> tuple[int, ...]:
    return tuple("_ab".index(unit) for unit in text)


def ngram_of(model: Model) -> Nodes:
    """Lay n-grams out in the order that the search expects."""
    order = max(len(ngram) for ngram in model)
    number: dict[tuple[int, ...], int] = {(): 0}
    for length in range(1, order + 1):
        ngrams = [ngram for ngram in model if len(ngram) == length]
        for ngram in sorted(ngrams, key=lambda ngram: (number[ngram[:-1]], ngram[-1])):
            number[ngram] = len(number)
    inner = [ngram for ngram in number if len(ngram) < order]
    parents = [number[ngram[:-1]] for ngram in number if ngram]
    first = [1 + sum(parent < node for parent in parents) for node in range(len(inner) + 1)]
    return make_nodes(
        words=np.array([-1, *(ngram[-1] for ngram in number if ngram)], np.int32),
        log_probs=np.array([0.0, *(model[ngram][0] for ngram in number if ngram)], np.float32),
        backoffs=np.array([0.0, *(model[ngram][1] for ngram in inner if ngram)], np.float32),
        first_child=np.array(first, np.uint32),
        suffixes=np.array([0, *(number[ngram[1:]] for ngram in number if ngram)], np.int32),
    )


def random_model(seed: int, n_words: int, order: int) -> Model:
    """Any numbers will do; every n-gram's beginning and end are n-grams too."""
    rng = random.Random(seed)
    words = range(3 + n_words)
    ngrams: set[tuple[int, ...]] = {(word,) for word in words}
    for _ in range(12):
        long = tuple(rng.choice(words) for _ in range(rng.randint(2, order)))
        ngrams |= {
            long[start:stop]
            for start in range(len(long))
            for stop in range(start + 1, len(long) + 1)
        }
    return {
        ngram: (float(np.float32(-3 * rng.random())), float(np.float32(-rng.random())))
        for ngram in sorted(ngrams)
    }


def reference_text_log_prob(model: Model, words: Sequence[int]) -> float:
    order = max(len(ngram) for ngram in model)
    segment = (START_ID, *words, END_ID)
    return sum(
        log_prob_of(model, segment[max(0, i - order + 1) : i], segment[i])
        for i in range(1, len(segment))
    )


@given(st.integers(0, 2**32 - 1), st.integers(2, 4), st.lists(st.integers(0, 5), max_size=6))
def test_the_arrays_of_a_back_off_model_give_the_probabilities_of_its_definition(
    seed: int, order: int, words: list[int]
) -> None:
    model = random_model(seed, 3, order)
    found = score_segment(ngram_of(model), np.array(words, np.int32), np.empty(len(words) + 1))
    assert found == pytest.approx(reference_text_log_prob(model, words), abs=1e-5)


def make_language(
    tokens: Sequence[str],
    spellings: Sequence[tuple[str, int]] = (),
    model: Model | None = None,
    hotwords: Boosts = {},  # noqa: B006 (never changed)
    *,
    is_open: bool = True,
) -> Language:
    """Word w of the lexicon has id 3 + w in the language model, which lacks the last one."""
    begins_word = np.array([token.startswith("_") for token in tokens])
    units = [spell(token.removeprefix("_")) for token in tokens]
    n_words = max((word for _, word in spellings), default=-1) + 1
    numbers = np.arange(3, 3 + n_words, dtype=np.int32)
    if model:
        numbers[numbers >= sum(len(ngram) == 1 for ngram in model)] = UNKNOWN_ID
    return Language(
        begins_word=begins_word,
        lexicon=make_lexicon(
            Spellings.of([spell(s) for s, _ in spellings], [w for _, w in spellings]),
            units,
            begins_word.tolist(),
        ),
        lm_ids=numbers,
        is_open=is_open,
        ngram=ngram_of(model) if model else NO_NODES,
        hotwords=make_hotwords({spell(f"_{p}_"): boost for p, boost in hotwords.items()}, units),
    )


Reading = tuple[Words, str]  # words, and how they are spelled, with boundaries around each


def readings(
    text: str, tokens: Sequence[str], spellings: Sequence[tuple[str, int]], *, is_open: bool
) -> list[Reading]:
    """Every way to read a spelled text as words."""
    if any(token.startswith("_") for token in tokens):
        found: list[Reading] = [((), "_")]
        for spelled in filter(None, text.split("_")):
            alike: list[int | None] = [w for other, w in spellings if other == spelled]
            choices = alike or ([None] if is_open else [])
            found = [
                ((*words, w), f"{around}{spelled}_") for words, around in found for w in choices
            ]
        return found
    if not text:
        return [((), "_")]
    return [
        ((word, *words), f"_{spelled}{around}")
        for spelled, word in spellings
        if text.startswith(spelled)
        for words, around in readings(text[len(spelled) :], tokens, spellings, is_open=is_open)
    ]


def worth(reading: Reading, language: Language, model: Model | None, hotwords: Boosts) -> float:
    """All of a score but the acoustic part."""
    words, around = reading
    numbers = [UNKNOWN_ID if word is None else int(language.lm_ids[word]) for word in words]
    score = EVERYTHING.word_score * len(words)
    if model:
        score += EVERYTHING.lm_weight * reference_text_log_prob(model, numbers)
        score += EVERYTHING.unknown_score * numbers.count(UNKNOWN_ID)
    times = {p: sum(around.startswith(f"_{p}_", i) for i in range(len(around))) for p in hotwords}
    return score + sum(boost * times[phrase] for phrase, boost in hotwords.items())


@st.composite
def emissions(draw: st.DrawFn, n_tokens: int, max_frames: int = 5) -> LogProbs:
    n_frames = draw(st.integers(0, max_frames))
    weight = st.sampled_from([0.0, 1.0, 2.0, 5.0, 30.0])
    frame = st.lists(weight, min_size=n_tokens, max_size=n_tokens).filter(any)
    frames = draw(st.lists(frame, min_size=n_frames, max_size=n_frames))
    weights = np.array(frames).reshape(n_frames, n_tokens)
    with np.errstate(divide="ignore"):
        log_probs: LogProbs = np.log(weights / weights.sum(axis=1, keepdims=True))
    return log_probs


def searched(emission: LogProbs, language: Language, config: BeamConfig) -> list[Hypothesis]:
    (n_best,) = BeamSearch(config, language)(emission[None], np.array([len(emission)]))
    return n_best


cases = pytest.mark.parametrize(
    ("tokens", "spellings", "is_open"),
    [
        pytest.param(CHARACTERS, (), True, id="characters, no words known"),
        pytest.param(CHARACTERS, tuple(zip(WORDS, range(4), strict=True)), True, id="open"),
        pytest.param(CHARACTERS, (("ab", 0), ("b", 1), ("b", 2)), False, id="closed, homophones"),
        pytest.param(PIECES, tuple(zip(WORDS, range(4), strict=True)), True, id="pieces, open"),
        pytest.param(PIECES, (("ab", 0), ("a", 1)), False, id="pieces, closed"),
        pytest.param(PHONES, (("ab", 0), ("a", 1), ("b", 1), ("ab", 2)), False, id="phones"),
    ],
)


@pytest.mark.parametrize("has_model", [False, True], ids=["no model", "3-gram"])
@pytest.mark.parametrize("hotwords", [{}, {"a": 0.8, "ab_a": 1.5}], ids=["", "hotwords"])
@cases
@settings(max_examples=20)
@given(st.data())
def test_a_beam_wide_enough_finds_every_reading_with_its_exact_score(
    tokens: tuple[str, ...],
    spellings: tuple[tuple[str, int], ...],
    is_open: bool,
    hotwords: dict[str, float],
    has_model: bool,
    data: st.DataObject,
) -> None:
    model = random_model(data.draw(st.integers(0, 99)), 3, 3) if has_model else None
    language = make_language(tokens, spellings, model, hotwords, is_open=is_open)
    emission = data.draw(emissions(len(tokens)))
    alike: dict[tuple[int, ...], list[float]] = {}
    for ids, paths in every_path(emission).items():
        alike.setdefault(without_idle_boundaries(ids, tokens), []).extend(paths.values())
    expected = {}
    for ids, scores in alike.items():
        acoustic = math.log(math.fsum(map(math.exp, scores)))
        text = "".join(tokens[i] for i in ids)
        for reading in readings(text, tokens, spellings, is_open=is_open):
            score = acoustic + worth(reading, language, model, hotwords)
            expected[ids, reading[0]] = (score, acoustic)
    found = searched(emission, language, EVERYTHING)
    if expected:
        keys = [(without_idle_boundaries(h.tokens, tokens), words_of(h)) for h in found]
        assert len(set(keys)) == len(keys)
        assert dict(zip(keys, [(h.score, h.acoustic_score) for h in found], strict=True)) == {
            key: pytest.approx(both, abs=1e-5) for key, both in expected.items()
        }
        assert [h.score for h in found] == sorted((h.score for h in found), reverse=True)
    else:
        assert len(found) == 1


def without_idle_boundaries(ids: Sequence[int], tokens: Sequence[str]) -> tuple[int, ...]:
    """Leave one bare boundary of several between words, and none before and after all."""
    kept: list[int] = []
    for token in ids:
        if tokens[token] != "_" or (kept and tokens[kept[-1]] != "_"):
            kept.append(token)
    return tuple(kept[:-1] if kept and tokens[kept[-1]] == "_" else kept)


def words_of(hypothesis: Hypothesis) -> Words:
    return tuple(word.word for word in hypothesis.words)


def test_results_do_not_depend_on_the_batch_or_on_threads() -> None:
    lengths = np.array([40, 0, 25, 1, 33])
    log_probs = random_log_probs(6, 5, 40, 4, scale=2)
    for b, length in enumerate(lengths):
        log_probs[b, length:] = math.nan
    spellings = tuple(zip(WORDS, range(4), strict=True))
    language = make_language(CHARACTERS, spellings, random_model(1, 4, 3), {"a": 0.5})
    search = BeamSearch(
        BeamConfig(beam_size=8, beam_threshold=10.0, n_best=8, lm_weight=0.5), language
    )
    together = search(log_probs, lengths)
    assert search(log_probs, lengths, n_threads=4) == together
    alone = [
        search(log_probs[b : b + 1, :length], lengths[b : b + 1])[0]
        for b, length in enumerate(lengths.tolist())
    ]
    assert alone == together


@given(emissions(4, max_frames=12), st.integers(1, 6), st.integers(0, 99))
@settings(max_examples=50)
def test_a_narrow_beam_gives_hypotheses_whose_score_is_that_of_their_parts(
    emission: LogProbs, beam_size: int, seed: int
) -> None:
    model = random_model(seed, 4, 3)
    hotwords = {"b": 0.7}
    language = make_language(CHARACTERS, tuple(zip(WORDS, range(4), strict=True)), model, hotwords)
    config = replace(EVERYTHING, beam_size=beam_size, beam_threshold=15.0, n_best=beam_size)
    for hypothesis in searched(emission, language, config):
        text = "".join(CHARACTERS[i] for i in hypothesis.tokens)
        (reading,) = readings(
            text, CHARACTERS, tuple(zip(WORDS, range(4), strict=True)), is_open=True
        )
        other = worth(reading, language, model, hotwords)
        assert hypothesis.score == pytest.approx(hypothesis.acoustic_score + other, abs=1e-5)
        assert words_of(hypothesis) == reading[0]


def test_an_impossible_utterance_has_the_empty_hypothesis_and_probability_zero() -> None:
    language = make_language(CHARACTERS, (("a", 0),), is_open=False)
    certain = np.full((2, 4), -math.inf)
    certain[:, CHARACTERS.index("b")] = 0.0
    (hypothesis,) = searched(certain, language, EVERYTHING)
    assert (hypothesis.tokens, hypothesis.score) == ((), -math.inf)


def test_a_long_recording_needs_no_more_room_than_the_prefixes_of_the_beam() -> None:
    log_probs = random_log_probs(7, 3000, 4)
    search = BeamSearch(
        BeamConfig(beam_size=20, beam_threshold=10.0, n_best=1), make_language(CHARACTERS)
    )
    state = search.advance(log_probs, search.start())
    assert len(state.tree) < 2 * (3000 + 32 * 20)
    assert int(state.progress["frame"][0]) == 3000


def test_words_of_any_spelling_need_tokens_that_mark_where_they_end() -> None:
    with pytest.raises(ConfigError, match="no token begins a word"):
        make_language(PHONES, (("a", 0),), is_open=True)


def test_arrays_that_do_not_fit_are_refused() -> None:
    language = make_language(CHARACTERS, (("a", 0),))
    with pytest.raises(ShapeError, match="an id for each of 1 words"):
        replace(language, lm_ids=np.zeros(0, np.int32))
    with pytest.raises(ShapeError, match="4 tokens, log_probs have 3"):
        searched(np.full((1, 3), -math.log(3)), language, EVERYTHING)
