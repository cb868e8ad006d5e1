"""Beam search: an emission becomes its best hypotheses, with all that a language adds."""

import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from asr.errors import ConfigError, ShapeError
from asr.lm.backoff import score_segment, start_state
from asr.lm.vocabulary import UNKNOWN_ID
from asr.search.alignment import best_alignment
from asr.search.beam import BeamConfig
from asr.search.emission import Emission, split_batch
from asr.search.hotwords import BOUNDARY
from asr.search.hypothesis import Hypothesis, LexiconWord, from_alignment
from asr.search.language import Language, weigh
from asr.search.lexicon import NO_WORD
from asr.search.prefix_beam import finish, hear
from asr.search.prefix_tree import NONE, n_tokens, trace
from asr.search.state import Factors, Numbers, Search, begin, enlarge


class BeamSearch:
    """Finds the most probable token sequences of emissions, each summed over its alignments.

    With a beam wide enough to keep every prefix the scores are exact; a narrower one misses the
    alignments that pass through a prefix it dropped, so that a score is a lower bound.

    Args:
        config: How widely to search, and the weights.
        language: What is known beside the emission; see `plain_language` for nothing.
        prior: (V,) float, each token's share of the training speech, all above 0; must be there if
            the config gives it a weight.
        blank: Token id of the CTC blank, 0 <= blank < V.

    Raises:
        ConfigError: The prior has a weight and is not there.
        ShapeError: The prior is not of V tokens.

    References:
        Graves, "Supervised Sequence Labelling with Recurrent Neural Networks", 2012, section 7.5.
        Hannun et al., "First-Pass Large Vocabulary Continuous Speech Recognition using
        Bi-Directional Recurrent DNNs", arXiv:1408.2873, 2014.

    Example:
        >>> import math
        >>> import numpy as np
        >>> from asr.search.language import plain_language
        >>> log_probs = np.log([[[0.6, 0.4], [0.6, 0.4]]])  # blank is likelier
        >>> config = BeamConfig(beam_size=4, beam_threshold=20.0, n_best=2)
        >>> beam_search = BeamSearch(config, plain_language(2))
        >>> (best, second), = beam_search(log_probs, np.array([2]))
        >>> best.tokens, round(math.exp(best.score), 2)  # yet three paths of four spell (1,)
        ((1,), 0.64)
    """

    def __init__(
        self,
        config: BeamConfig,
        language: Language,
        *,
        prior: NDArray[np.floating] | None = None,
        blank: int = 0,
    ) -> None:
        self.config = config
        self.language = language
        self.blank = blank
        self._known = weigh(language, config, blank=blank)
        has_ngram = len(language.ngram.words) > 0
        self._start = start_state(language.ngram) if has_ngram else 0
        self._log_prior = self._weighed_prior(prior)  # (V,), or None

    def __call__(
        self, log_probs: NDArray[np.floating], lengths: NDArray[np.int64], *, n_threads: int = 1
    ) -> list[list[Hypothesis]]:
        """Search every utterance of a batch.

        Args:
            log_probs: (B, T, V) float, natural log, each frame normalised.
            lengths: (B,) int64, valid frames, 0 <= length <= T. Later frames are never read.
            n_threads: Utterances to search at the same time; the results do not depend on it.

        Returns:
            Per utterance, in batch order, 1 to `n_best` hypotheses of distinct tokens or words,
            best first; frames and confidences are those of their best alignment. An utterance
            without frames has the empty hypothesis. So has one that says nothing which can be said
            with more than probability zero, with a score of minus infinity.

        Raises:
            ShapeError: `log_probs` is not (B, T, V) with the language's V, or `lengths` do not
                belong to it.
            DataError: A valid frame is not finite or not normalised.
        """
        emissions = split_batch(log_probs, lengths, blank=self.blank)
        n_tokens = len(self.language.begins_word)
        if log_probs.shape[2] != n_tokens:
            raise ShapeError(
                f"the language has {n_tokens} tokens, log_probs have {log_probs.shape[2]}"
            )
        if n_threads == 1:
            return [self.search(emission) for emission in emissions]
        with ThreadPoolExecutor(n_threads) as threads:
            return list(threads.map(self.search, emissions))

    def search(self, emission: Emission) -> list[Hypothesis]:
        """Search one utterance, (T, V), that has been checked."""
        if self._log_prior is not None:
            emission = _normalised(emission - self._log_prior)
        search = self._hear(np.exp(emission))
        n = int(search.progress.n_places[0])
        if not n:
            return [Hypothesis((), (), (), -math.inf, -math.inf)]
        beam, ends = search.beam, np.empty(n)
        heard = np.log(beam.in_blank[:n] + beam.in_token[:n]) + search.progress.log_scale  # (K,)
        finish(search, self._known, ends)
        order = np.argsort(-(heard + ends), kind="stable")[: self.config.n_best]
        possible = [int(place) for place in order if ends[place] > -math.inf]
        return [
            self._hypothesis(emission, search, int(beam.prefix[k]), heard[k], heard[k] + ends[k])
            for k in possible
        ] or [self._without_the_last_word(emission, search, heard)]

    def _weighed_prior(self, prior: NDArray[np.floating] | None) -> NDArray[np.float64] | None:
        weight = self.config.prior_weight
        if not weight:
            return None
        if prior is None:
            raise ConfigError(
                f"prior_weight is {weight:g}, and the model does not know its tokens' prior: train "
                "it again, or set the weight to 0"
            )
        if prior.shape != (len(self.language.begins_word),):
            raise ShapeError(
                f"expected a prior of {len(self.language.begins_word)} tokens, "
                f"got shape {tuple(prior.shape)}"
            )
        log_prior: NDArray[np.float64] = np.log(prior.astype(np.float64))
        return weight * log_prior

    def _hear(self, probs: Factors) -> Search:
        """Hear all frames, with more room where there is too little."""
        search = begin(
            probs.shape[1],
            self.config.beam_size,
            math.exp(-self.config.beam_threshold),
            self._start,
            int(self.language.hotwords.next_state[0, BOUNDARY]),
            self.blank,
        )
        while not hear(probs, search, self._known):
            search = enlarge(search)
        return search

    def _hypothesis(
        self, emission: Emission, search: Search, prefix: int, heard: float, score: float
    ) -> Hypothesis:
        """Find when a prefix was said, and what its score is made of."""
        tree, length = search.tree, n_tokens(search.tree, prefix)
        tokens, ended = np.empty(length, np.int64), np.empty(length, np.int64)
        log_factor = trace(tree, prefix, tokens, ended)
        words = tuple(self._said(tokens, ended, int(tree.spelled[prefix])))
        lm_score = 0.0
        if self._known.settings.has_ngram:
            number = self.language.numbers
            ids = [UNKNOWN_ID if w.word is None else number[w.word] for w in words]
            scores = np.empty(len(ids) + 1)
            lm_score = score_segment(self.language.ngram, np.array(ids, np.int32), scores)
        alignment, _ = best_alignment(emission, tokens.tolist(), blank=self.blank)
        hypothesis = from_alignment(emission, alignment, float(score), blank=self.blank)
        acoustic_score = float(heard - log_factor)
        return replace(hypothesis, acoustic_score=acoustic_score, lm_score=lm_score, words=words)

    def _said(self, tokens: Numbers, ended: Numbers, last: int) -> Iterator[LexiconWord]:
        """Tell where the words of a prefix begin and end; `last` is how the last one is spelled."""
        bounds = self.language.hotwords.first_unit
        start: int | None = None
        for position, (token, word) in enumerate(zip(tokens.tolist(), ended.tolist(), strict=True)):
            if word != NONE and start is not None:
                yield LexiconWord(word if word >= 0 else None, start, position)
                start = None
            is_bare = self.language.begins_word[token] and bounds[token] == bounds[token + 1]
            start = position if start is None and not is_bare else start
        if start is not None and last != 0:
            word = (
                int(self.language.lexicon.word[last])
                if last < len(self.language.lexicon.word)
                else NO_WORD
            )
            yield LexiconWord(word if word != NO_WORD else None, start, len(tokens))

    def _without_the_last_word(
        self, emission: Emission, search: Search, heard: Factors
    ) -> Hypothesis:
        """Drop the unfinished last word of the best prefix, where none ends in a whole one."""
        place, tree = int(np.argmax(heard)), search.tree
        prefix, has_ended = int(search.beam.prefix[place]), False
        while tree.spelled[prefix] != 0 and not has_ended:
            has_ended = tree.ended[prefix] != NONE
            prefix = int(tree.parent[prefix])
        return self._hypothesis(emission, search, prefix, heard[place], heard[place])


def _normalised(log_factors: Emission) -> Emission:
    """Make each frame sum to one; a factor common to all tokens of a frame changes no ranking."""
    return log_factors - np.logaddexp.reduce(log_factors, axis=1, keepdims=True)
