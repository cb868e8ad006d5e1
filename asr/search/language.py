"""Language: the words that a search can find, and what scores them; made into its graph."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asr.errors import ConfigError, ShapeError
from asr.lm.ngram import NO_NODES, Nodes
from asr.lm.vocabulary import UNKNOWN_ID
from asr.search.beam import BeamConfig
from asr.search.emission import BLANK
from asr.search.hotwords import Hotwords, make_hotwords
from asr.search.lexicon import Lexicon, Spellings, make_lexicon
from asr.search.records import NONE, Factors
from asr.search.state import ARC, NODE, Graph, Settings

MIN_LOOK_AHEAD = -600.0  # nats: a float64 holds the factor and its inverse


@dataclass(frozen=True, slots=True, eq=False)
class Language:
    """A lexicon, a language model and hotwords; each can be empty.

    Args:
        begins_word: (V,) bool, which tokens end a word and begin another.
        lexicon: Words by their spelling.
        lm_ids: (W,) int32, the language model's id of each word of the lexicon; `UNKNOWN_ID` for
            words that it lacks.
        is_open: Whether words that the lexicon lacks can be recognised too, in any spelling.
        ngram: The language model; without nodes, all words score alike.
        hotwords: Phrases that score higher.

    Raises:
        ConfigError: Words of any spelling are to be scored, but no token marks where they end.
        ShapeError: The arrays do not fit each other.
    """

    begins_word: NDArray[np.bool_]
    lexicon: Lexicon
    lm_ids: NDArray[np.int32]
    is_open: bool
    ngram: Nodes
    hotwords: Hotwords

    @property
    def has_ngram(self) -> bool:
        """Whether there is a language model."""
        return len(self.ngram.words) > 0

    @property
    def boundary(self) -> int | None:
        """The token that ends a word and spells nothing, as among characters; None if none does."""
        is_bare = self.begins_word & (np.diff(self.hotwords.first_unit) == 0)
        return int(np.argmax(is_bare)) if is_bare.any() else None

    def __post_init__(self) -> None:
        has_words = self.lexicon.n_words > 0 or self.has_ngram
        if self.is_open and has_words and not self.begins_word.any():
            raise ConfigError(
                "no token begins a word, so only the words of a lexicon can be told apart: "
                "give a lexicon, and close the vocabulary"
            )
        if len(self.lm_ids) < self.lexicon.n_words:
            raise ShapeError(
                f"expected an id for each of {self.lexicon.n_words} words, got {len(self.lm_ids)}"
            )
        if len(self.hotwords.first_unit) != len(self.begins_word) + 1:
            raise ShapeError(
                f"expected hotwords for {len(self.begins_word)} tokens, "
                f"got them for {len(self.hotwords.first_unit) - 1}"
            )


def plain_language(n_tokens: int) -> Language:
    """Make a language of any sequence of tokens, all scored by the emission alone."""
    no_units: list[tuple[int, ...]] = [()] * n_tokens
    begins_word = np.zeros(n_tokens, np.bool_)
    return Language(
        begins_word=begins_word,
        lexicon=make_lexicon(Spellings.of([], []), no_units, begins_word.tolist()),
        lm_ids=np.zeros(0, np.int32),
        is_open=True,
        ngram=NO_NODES,
        hotwords=make_hotwords({}, no_units),
    )


def make_graph(language: Language, config: BeamConfig) -> Graph:
    """Weight a language, as factors for the search.

    The look-ahead of an unfinished word is the best unigram probability among the words that it can
    become, an unknown word among them if the vocabulary is open. So a word pays its price with its
    first tokens, and prefixes that lead to no probable word are dropped early.
    """
    lexicon = language.lexicon
    word_scores = np.zeros(len(language.lm_ids))
    oov_score, unknown_score = 0.0, 0.0
    if language.has_ngram:
        unknown_score = config.unknown_score
        unigrams = config.lm_weight * language.ngram.log_probs[1:].astype(np.float64)
        word_scores = unigrams[language.lm_ids]
        word_scores[language.lm_ids == UNKNOWN_ID] += unknown_score
        oov_score = float(unigrams[UNKNOWN_ID]) + unknown_score
    if not language.is_open:
        oov_score = -math.inf
    score = np.append(np.maximum(lexicon.best_reachable(word_scores), oov_score), oov_score)
    look_ahead = np.exp(np.maximum(score + config.word_score, MIN_LOOK_AHEAD))
    look_ahead[0] = 1.0
    nodes = np.recarray(len(look_ahead) + 1, NODE)
    nodes["first_arc"] = np.append(lexicon.first_arc, lexicon.first_arc[-1])
    nodes["word"], nodes["word"][:-2] = NONE, lexicon.word
    n_arcs, n_tokens = len(lexicon.arc_token), len(language.begins_word)
    arcs = np.recarray(n_arcs + n_tokens, ARC)
    arcs["token"] = np.append(lexicon.arc_token, np.arange(n_tokens))
    arcs["target"] = np.append(lexicon.arc_target, np.full(n_tokens, len(lexicon.word)))
    arcs["look_ahead"] = look_ahead[arcs["target"]]
    lm_ids = language.lm_ids.view()
    lm_ids.flags.writeable = False  # as if mapped: else code would be compiled for both kinds
    return Graph(
        nodes=nodes,
        arcs=arcs,
        gains=_gains(language, look_ahead),
        lm_ids=lm_ids,
        ngram=language.ngram,
        hotwords=language.hotwords,
        settings=_settings(language, config, unknown_score),
    )


def _gains(language: Language, look_ahead: Factors) -> Factors:
    """Bound the factor by which each token can raise its prefix's rank; 0 where it cannot stand.

    Returns:
        (2, V) inside a word, and at the beginning of one.
    """
    lexicon, hotwords = language.lexicon, language.hotwords
    sources = np.repeat(np.arange(len(lexicon.word)), np.diff(lexicon.first_arc))
    gains = np.zeros((2, len(language.begins_word)))
    np.maximum.at(gains[0], lexicon.arc_token, look_ahead[lexicon.arc_target] / look_ahead[sources])
    starts = slice(0, lexicon.first_arc[1])
    np.maximum.at(gains[1], lexicon.arc_token[starts], look_ahead[lexicon.arc_target[starts]])
    if language.is_open:
        gains = np.maximum(gains, [[max(1.0, look_ahead[-1])], [look_ahead[-1]]])
    gains[0, language.begins_word] = 0.0
    if language.begins_word.any() or language.is_open:
        gains[1, ~language.begins_word] = 0.0
    gains[:, BLANK] = 0.0
    of_phrases = hotwords.look_ahead
    unit_gain = (of_phrases[hotwords.next_state[:, 1:]] / of_phrases[:, None]).max(initial=1.0)
    token_gain = float(unit_gain) ** int(np.diff(hotwords.first_unit).max(initial=0))
    return gains * token_gain * (1.0 + 1e-9)  # more than any error of rounding


def _settings(language: Language, config: BeamConfig, unknown_score: float) -> Settings:
    """Collect the weights, and a bound by which the search skips words that cannot matter."""
    hotwords, boundary = language.hotwords, language.boundary
    boost = float(hotwords.boost.max() * hotwords.look_ahead.max())
    return Settings(
        boundary=NONE if boundary is None else boundary,
        lm_weight=config.lm_weight,
        word_score=config.word_score,
        unknown_score=unknown_score,
        oov_node=len(language.lexicon.word) if language.is_open else NONE,
        words_end_anywhere=not language.is_open and not bool(language.begins_word.any()),
        has_ngram=language.has_ngram,
        has_hotwords=len(hotwords.boost) > 1,
        max_end=max(1.0, math.exp(config.word_score + max(0.0, unknown_score))) * boost,
    )
