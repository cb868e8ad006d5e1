"""Searcher: one search of a model's output, with its files loaded."""

import logging
import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from asr.checkpoint.decoding import SearchPlan
from asr.checkpoint.directory import ModelDirectory
from asr.confidence.calibration import Calibration
from asr.confidence.searches import search_kind
from asr.config import TEXT_HEAD
from asr.errors import ConfigError, warn_once
from asr.runtime.windows import LONGEST_WHOLE
from asr.search.beam import BeamConfig
from asr.search.greedy import greedy_search
from asr.search.hypothesis import Hypothesis
from asr.search.running import PATIENCE, RunningGreedySearch, RunningSearch
from asr.search.words import WordReader
from asr.text.normalise import normaliser
from asr.text.tokens import WORD_BOUNDARY

if TYPE_CHECKING:
    from asr.search.beam_search import BeamSearch
    from asr.search.fusion import Fusion

_LOG = logging.getLogger(__name__)

SENTENCE_PAUSE = 0.2  # seconds of sure blanks, after which the language model begins anew


class Searcher:
    """Searches what a model outputs.

    Args:
        n_threads: Utterances to search at the same time.

    Attributes:
        plan: How to search.
        kind: What kind of search it is; each kind has a calibration of its own.
        head: The head whose output is searched: of phones, if the lexicon has pronunciations.
        words: Turns hypotheses into words with times and confidences.

    Raises:
        ConfigError: Words are spelled in phones, and nothing makes many short ones improbable.
        DataError: A file of the search cannot be used.
    """

    def __init__(self, model: ModelDirectory, plan: SearchPlan, *, n_threads: int) -> None:
        self.plan, self._n_threads = plan, n_threads
        self._fusion = _load_fusion(model, plan) if plan.beam else None
        is_pronounced = self._fusion is not None and self._fusion.are_pronounced
        self.kind = search_kind(
            is_beam=plan.beam is not None,
            is_pronounced=is_pronounced,
            has_lm=self._fusion is not None and self._fusion.language.has_ngram,
        )
        if plan.beam and self.kind == "phones" and plan.beam.word_score >= 0:
            raise ConfigError(
                f"{plan.lexicon}: words in phones need a language model, or a word_score below 0 "
                f"nats, got {plan.beam.word_score:g}: else one-phone words, being free, "
                "spell out all others; give --lm, or --word-score -10 for a short list"
            )
        phone_heads = model.config.phone_heads
        self.head = phone_heads[0] if phone_heads and is_pronounced else TEXT_HEAD
        if phone_heads and plan.lexicon and not is_pronounced:
            _LOG.warning(
                "%s has no pronunciations: the search reads characters, not the model's phones, "
                "which usually makes more errors; `asr lexicon` adds pronunciations",
                plan.lexicon,
            )
        self._prior = model.priors.get(self.head)
        self.words = WordReader(model.tokenizers[TEXT_HEAD], self._fusion, model.config.frame_shift)
        self._beam_search = self.beam_search(plan.beam) if plan.beam else None

    def __call__(
        self, log_probs: NDArray[np.floating], lengths: NDArray[np.int64]
    ) -> list[list[Hypothesis]]:
        """Search every utterance of a batch.

        Args:
            log_probs: (B, T, V) of `head`, natural log.
            lengths: (B,) int64, valid frames.

        Returns:
            Per utterance at least one hypothesis, best first.
        """
        if self._beam_search is None:
            return [[hypothesis] for hypothesis in greedy_search(log_probs, lengths)]
        return self._beam_search(log_probs, lengths, n_threads=self._n_threads)

    def running(self, patience: float | None = None) -> RunningSearch:
        """Start a search of one recording whose emission arrives in pieces; it has no n-best list.

        Args:
            patience: Seconds that words may be in doubt; then the best hypothesis decides. None:
                long enough for the words of a search of the whole.

        Raises:
            ConfigError: The patience is below 0 s, or not finite.
        """
        if patience is not None and not 0 <= patience < math.inf:
            raise ConfigError(f"expected a patience of 0 seconds or more, got {patience}")
        n_frames = (
            PATIENCE if patience is None else max(1, round(patience / self.words.frame_shift))
        )
        if self._beam_search is None:
            tokens = self.words.tokenizer.tokens
            begins_word = np.array([token.startswith(WORD_BOUNDARY) for token in tokens])
            return RunningGreedySearch(begins_word, patience=n_frames)
        from asr.search.running_beam import RunningBeamSearch  # here: as for `beam_search`

        if self._beam_search.config.n_best > 1:
            warn_once(
                _LOG,
                f"n_best is for recordings of up to {LONGEST_WHOLE:g} s, which are searched at "
                "once: longer and live ones have no alternatives",
            )
        return RunningBeamSearch(self._beam_search, patience=n_frames)

    def beam_search(self, beam: BeamConfig) -> "BeamSearch":
        """Make a beam search of the same words with other settings; the plan must have a beam."""
        from asr.search.beam_search import BeamSearch  # here: greedy search does without numba

        assert self._fusion is not None
        pause = round(SENTENCE_PAUSE / self.words.frame_shift)
        return BeamSearch(beam, self._fusion.language, prior=self._prior, pause=pause)

    def calibration_of(self, model: ModelDirectory) -> Calibration | None:
        """Return the model's calibration for this kind of search; None, logged, if it has none."""
        calibrations = model.calibrations
        if self.kind in calibrations:
            return calibrations[self.kind].calibration
        if calibrations:
            _LOG.info(
                "the model has no calibration of %s, only of %s: confidences are the search's own",
                self.kind,
                ", ".join(calibrations),
            )
        return None


def _load_fusion(model: ModelDirectory, plan: SearchPlan) -> "Fusion":
    from asr.search.fusion import fuse  # here: greedy search does without numba
    from asr.search.kept_fusion import load_fusion

    tokens, name = model.tokenizers[TEXT_HEAD].tokens, model.config.text.normaliser
    phone_heads = model.config.phone_heads
    phones = model.tokenizers[phone_heads[0]].tokens if phone_heads else None
    if (plan.lm, plan.lexicon) == (model.search.lm, model.search.lexicon):
        own = load_fusion(tokens, name, phones, plan.lm, plan.lexicon)
        return own.with_hotwords(plan.hotwords, normaliser(name))
    return fuse(
        *(tokens, name),
        phones=phones,
        lm=plan.lm,
        lexicon=plan.lexicon,
        hotwords=plan.hotwords,
    )
