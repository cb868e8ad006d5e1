"""Language: what a search knows of what is said, beside the emission."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asr.errors import ConfigError, ShapeError
from asr.lm.ngram import NO_NODES, Nodes
from asr.lm.vocabulary import UNKNOWN_ID
from asr.search.beam import BeamConfig
from asr.search.hotwords import Hotwords, make_hotwords
from asr.search.lexicon import NO_WORD, Lexicon, Scores, Spellings, make_lexicon
from asr.search.prefix_tree import NONE
from asr.search.state import ARC, NODE, Knowledge, Settings

LEAST_OUTLOOK = -600.0  # nats: a factor that a float64 still holds, and its inverse


@dataclass(frozen=True, slots=True, eq=False)
class Language:
    """Words, a language model and hotwords; each can be empty.

    Args:
        begins_word: (V,) bool, which tokens end a word and begin another.
        lexicon: Words by their spelling.
        numbers: (W,) int32, the language model's id of each word of the lexicon; `UNKNOWN_ID` for
            words that it lacks.
        is_open: Whether words that the lexicon lacks can be said too, in any spelling.
        ngram: Scores words behind words; without nodes, all score alike.
        hotwords: Phrases that score higher.

    Raises:
        ConfigError: Words of any spelling are to be scored, but no token tells where they end.
        ShapeError: The arrays do not fit each other.
    """

    begins_word: NDArray[np.bool_]
    lexicon: Lexicon
    numbers: NDArray[np.int32]
    is_open: bool
    ngram: Nodes
    hotwords: Hotwords

    def __post_init__(self) -> None:
        has_words = self.lexicon.n_words or len(self.ngram.words)
        if self.is_open and has_words and not self.begins_word.any():
            raise ConfigError(
                "no token begins a word, so that only the words of a lexicon can be told apart: "
                "give one, and close the vocabulary"
            )
        if len(self.numbers) < self.lexicon.n_words:
            raise ShapeError(
                f"expected a number for each of {self.lexicon.n_words} words, "
                f"got {len(self.numbers)}"
            )
        if len(self.hotwords.first_unit) != len(self.begins_word) + 1:
            raise ShapeError(
                f"expected hotwords for {len(self.begins_word)} tokens, "
                f"got them for {len(self.hotwords.first_unit) - 1}"
            )


def plain_language(n_tokens: int) -> Language:
    """Know nothing: any sequence of tokens can be said."""
    nothing: list[tuple[int, ...]] = [()] * n_tokens
    begins_word = np.zeros(n_tokens, np.bool_)
    return Language(
        begins_word=begins_word,
        lexicon=make_lexicon(Spellings.of([], []), nothing, begins_word.tolist()),
        numbers=np.zeros(0, np.int32),
        is_open=True,
        ngram=NO_NODES,
        hotwords=make_hotwords({}, nothing),
    )


def weigh(language: Language, config: BeamConfig, *, blank: int) -> Knowledge:
    """Turn what is known, under some weights, into the factors that the loop goes by.

    The outlook of an unfinished word is the best unigram probability among the words that it can
    become, an unknown word among them if the vocabulary is open. So letters of a word bear its
    price in advance, and words that cannot lead to a probable one go early.
    """
    lexicon, begins_word = language.lexicon, language.begins_word
    word_scores = np.zeros(len(language.numbers))
    unlisted_score = 0.0
    unknown_score = config.unknown_score if len(language.ngram.words) else 0.0
    if len(language.ngram.words):
        unigrams = config.lm_weight * language.ngram.log_probs[1:].astype(np.float64)
        word_scores = unigrams[language.numbers]
        word_scores[language.numbers == UNKNOWN_ID] += unknown_score
        unlisted_score = float(unigrams[UNKNOWN_ID]) + unknown_score
    if not language.is_open:
        unlisted_score = -math.inf
    score = np.maximum(lexicon.best_reachable(word_scores), unlisted_score)
    score = np.append(score, unlisted_score)
    outlook = np.exp(np.maximum(score + config.word_score, LEAST_OUTLOOK))
    outlook[0] = 1.0
    nodes = np.recarray(len(outlook) + 1, NODE)
    nodes["first_arc"] = np.append(lexicon.first_arc, [lexicon.first_arc[-1]] * 2)[: len(nodes)]
    nodes["word"], nodes["outlook"] = NO_WORD, 0.0
    nodes["word"][:-2], nodes["outlook"][:-1] = lexicon.word, outlook
    arcs = np.recarray(len(lexicon.arc_token), ARC)
    arcs["token"], arcs["target"] = lexicon.arc_token, lexicon.arc_target
    return Knowledge(
        nodes=nodes,
        arcs=arcs,
        number=language.numbers,
        begins_word=begins_word,
        ngram=language.ngram,
        hotwords=language.hotwords,
        settings=_settings(language, outlook, config, unknown_score, blank),
    )


def _settings(
    language: Language, outlook: Scores, config: BeamConfig, unknown_score: float, blank: int
) -> Settings:
    """Add to the weights what no prefix can exceed, so that the loop need not try every token."""
    lexicon, hotwords = language.lexicon, language.hotwords
    sources = np.repeat(np.arange(len(lexicon.word)), np.diff(lexicon.first_arc))
    gain = float((outlook[lexicon.arc_target] / outlook[sources]).max(initial=outlook[-1]))
    starts = lexicon.arc_target[: lexicon.first_arc[1]]
    start = float(outlook[starts].max(initial=outlook[-1]))
    promise = hotwords.promise
    step = (promise[hotwords.next_state[:, 1:]] / promise[:, None]).max(initial=1.0)
    hope = float(step) ** int(np.diff(hotwords.first_unit).max(initial=0))
    worth = float(hotwords.boost.max() * promise.max())
    return Settings(
        blank=blank,
        lm_weight=config.lm_weight,
        word_score=config.word_score,
        unknown_score=unknown_score,
        unlisted=len(lexicon.word) if language.is_open else NONE,
        ends_anywhere=not language.is_open and not bool(language.begins_word.any()),
        has_ngram=len(language.ngram.words) > 0,
        has_hotwords=len(hotwords.boost) > 1,
        greatest_gain=max(1.0, gain) * hope,
        greatest_start=max(1.0, start) * hope,
        greatest_ending=max(1.0, math.exp(config.word_score + max(0.0, unknown_score))) * worth,
    )
