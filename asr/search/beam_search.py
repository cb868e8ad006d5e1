"""Beam search: an emission becomes its best hypotheses, scored by a language as well."""

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
from asr.search.emission import BLANK, Emission, split_batch
from asr.search.hotwords import BOUNDARY
from asr.search.hypothesis import Hypothesis, LexiconWord, followed_by, from_alignment
from asr.search.language import Language, make_graph
from asr.search.pauses import Pauses
from asr.search.prefix_beam import advance, finish
from asr.search.prefix_tree import n_tokens, trace_back
from asr.search.records import NONE, Factors, Ids
from asr.search.state import BeamState, Graph, grow, start

IDLE_BLANK = 0.999  # a frame whose blank is likelier, after another such frame, is blank alone


class BeamSearch:
    """Finds the most probable token sequences of emissions, each summed over its alignments.

    Scores are exact if the beam is wide enough to keep every prefix, except that of several frames
    in a row whose blank is likelier than `IDLE_BLANK`, all but the first count as blank alone. A
    narrower beam misses the alignments through dropped prefixes, so a score is a lower bound. So is
    that of the only hypothesis of a search with an n-gram: recombination drops prefixes, too.

    Args:
        config: How widely to search, and the weights.
        language: Words and their scores; see `plain_language` for none.
        prior: (V,) float, each token's share of the training speech, all above 0; required if the
            config gives it a weight.
        pause: Frames of sure blanks that end a sentence, see `Pauses`; None: none do.

    Raises:
        ConfigError: The prior has a weight and is missing.
        ShapeError: The prior does not have V tokens.

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
        pause: int | None = None,
    ) -> None:
        self.config = config
        self.language = language
        self.pause = pause
        self._boundary = language.boundary
        self._graph = make_graph(language, config)
        self._lm_state = start_state(language.ngram) if language.has_ngram else 0
        self._log_prior = self._weighted_prior(prior)  # (V,), or None

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
            best first; they differ in more than bare boundaries before, after or between words.
            Frames and confidences are those of their best alignment. An utterance
            without frames has the empty hypothesis, and so has one for which every hypothesis is
            impossible, with a score of minus infinity.

        Raises:
            ShapeError: `log_probs` is not (B, T, V) with the language's V, or `lengths` do not fit
                it.
            DataError: A valid frame is not finite or not normalised.
        """
        emissions = split_batch(log_probs, lengths)
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
        pauses, found, n_frames = Pauses(self.pause), [Hypothesis((), (), (), (), 0.0, 0.0)], 0
        for part, is_end in pauses.parts(emission):
            if is_end or not pauses.is_pause:
                found = self._best_pairs(found, self._search(part), n_frames)
            n_frames += len(part)
        return found

    def _search(self, emission: Emission) -> list[Hypothesis]:
        """Search one sentence, (T, V)."""
        emission = self.without_prior(emission)
        return self.hypotheses(emission, self.advance(emission, self.start()))

    def _best_pairs(
        self, first: list[Hypothesis], second: list[Hypothesis], n_frames: int
    ) -> list[Hypothesis]:
        """Join the hypotheses of what comes before and after a pause; the best ones, each once.

        A word on either side of the pause makes the same hypothesis.
        """
        pairs = [
            followed_by(one, other, n_frames, self._boundary) for one in first for other in second
        ]
        distinct: dict[object, Hypothesis] = {}
        for pair in sorted(pairs, key=lambda pair: pair.score):
            distinct[pair.tokens, tuple(word.word for word in pair.words)] = pair
        return sorted(distinct.values(), key=lambda pair: -pair.score)[: self.config.n_best]

    def without_prior(self, emission: Emission) -> Emission:
        """Divide an emission by the weighted prior, if there is one, and normalise it again."""
        if self._log_prior is None:
            return emission
        divided = emission - self._log_prior
        without: Emission = divided - np.logaddexp.reduce(divided, axis=1, keepdims=True)
        return without

    def start(self) -> BeamState:
        """Start a search with the empty prefix."""
        return start(
            n_tokens=len(self.language.begins_word),
            beam_size=self.config.beam_size,
            min_share=math.exp(-self.config.beam_threshold),
            last_token=BLANK if self._boundary is None else self._boundary,
            lm_state=self._lm_state,
            hotword_state=int(self.language.hotwords.next_state[0, BOUNDARY]),
            recombines=self.config.n_best == 1 and self.language.has_ngram,
        )

    def advance(self, emission: Emission, state: BeamState) -> BeamState:
        """Advance through all of these frames, with as much room for prefixes as that takes."""
        is_idle = _is_idle(emission[:, BLANK])  # (T,)
        probs = np.exp(emission[~is_idle])
        state.progress.frame[0] = 0
        while not advance(probs, state, self._graph):
            state = grow(state)
        state.progress.log_scale[0] += float(emission[is_idle, BLANK].sum())
        return state

    def hypotheses(self, emission: Emission, state: BeamState) -> list[Hypothesis]:
        """Return the best hypotheses, given all frames since the root of the tree, best first."""
        active, end_scores = state.active, np.empty(len(state.active))
        if not len(active):
            return [Hypothesis((), (), (), (), -math.inf, -math.inf)]
        scores = np.log(active.in_blank + active.in_token)  # (K,)
        scores += state.progress.log_scale
        finish(state, self._graph, end_scores)
        _join_last_boundaries(state, self._graph, scores, end_scores)
        totals = scores + end_scores
        order = np.argsort(-totals, kind="stable")[: self.config.n_best]
        return [
            self.hypothesis(emission, state, int(active.prefix[slot]), scores[slot], totals[slot])
            for slot in order.tolist()
            if end_scores[slot] > -math.inf
        ] or [self._without_unfinished_word(emission, state, scores)]

    def _weighted_prior(self, prior: NDArray[np.floating] | None) -> NDArray[np.float64] | None:
        weight = self.config.prior_weight
        if not weight:
            return None
        if prior is None:
            raise ConfigError(
                f"prior_weight is {weight:g}, but the model does not know its tokens' prior: train "
                "it again, or set the weight to 0"
            )
        n_tokens = len(self.language.begins_word)
        if prior.shape != (n_tokens,):
            raise ShapeError(f"expected a prior of {n_tokens} tokens, got shape {prior.shape}")
        log_prior: NDArray[np.float64] = np.log(prior.astype(np.float64))
        return weight * log_prior

    def hypothesis(
        self, emission: Emission, state: BeamState, prefix: int, score: float, total: float
    ) -> Hypothesis:
        """Align a prefix and split its score; `total` has the end of its last word, `score` not."""
        tree, length = state.tree, n_tokens(state.tree, prefix)
        tokens, ended_words = np.empty(length, np.int64), np.empty(length, np.int64)
        acoustic_score = float(score - trace_back(tree, prefix, tokens, ended_words))
        words = tuple(self._words(tokens, ended_words, int(tree.node[prefix])))
        lm_score = 0.0
        if self.language.has_ngram:
            known = self.language.lm_ids
            lm_ids = [UNKNOWN_ID if w.word is None else known[w.word] for w in words]
            log_probs = np.empty(len(lm_ids) + 1)
            lm_score = score_segment(self.language.ngram, np.array(lm_ids, np.int32), log_probs)
        alignment, _ = best_alignment(emission, tokens.tolist(), boundary=self._boundary)
        hypothesis = from_alignment(emission, alignment, float(total))
        return replace(hypothesis, acoustic_score=acoustic_score, lm_score=lm_score, words=words)

    def _words(self, tokens: Ids, ended_words: Ids, last_node: int) -> Iterator[LexiconWord]:
        """Find where words begin and end; the last one ends in a node of the lexicon."""
        first_unit = self.language.hotwords.first_unit
        first: int | None = None
        pairs = zip(tokens.tolist(), ended_words.tolist(), strict=True)
        for position, (token, ended_word) in enumerate(pairs):
            if ended_word != NONE and first is not None:
                yield LexiconWord(ended_word if ended_word >= 0 else None, first, position)
                first = None
            has_units = first_unit[token] < first_unit[token + 1]
            if first is None and (has_units or not self.language.begins_word[token]):
                first = position
        if first is not None and last_node != 0:
            word = int(self._graph.nodes.word[last_node])
            yield LexiconWord(word if word != NONE else None, first, len(tokens))

    def _without_unfinished_word(
        self, emission: Emission, state: BeamState, scores: Factors
    ) -> Hypothesis:
        """Drop the last word of the best prefix, if no prefix ends in a complete word."""
        slot, tree = int(np.argmax(scores)), state.tree
        prefix, has_ended = int(state.active.prefix[slot]), False
        while tree.node[prefix] != 0 and not has_ended:
            has_ended = tree.ended_word[prefix] != NONE
            prefix = int(tree.parent[prefix])
        return self.hypothesis(emission, state, prefix, scores[slot], scores[slot])


def _is_idle(log_probs: Factors) -> NDArray[np.bool_]:
    """Tell which frames have a sure blank again, given the blank's log probabilities, (T,).

    Such a frame only multiplies all prefixes by the blank's probability.
    """
    is_sure = log_probs > math.log(IDLE_BLANK)
    is_idle: NDArray[np.bool_] = is_sure & np.append(False, is_sure)[:-1]
    return is_idle


def _join_last_boundaries(
    state: BeamState, graph: Graph, scores: Factors, end_scores: Factors
) -> None:
    """Add the paths of each prefix `a▁` to those of `a`, in nats; `a▁` alone becomes impossible."""
    prefixes = state.tree[state.active.prefix]
    ends = np.flatnonzero((prefixes.token == graph.settings.boundary) & (prefixes.parent != NONE))
    parents = state.tree.slot[prefixes.parent[ends]]
    ends, parents = ends[parents != NONE], parents[parents != NONE]
    joining = scores[ends] - np.log(prefixes.factor[ends])
    scores[parents] = np.logaddexp(scores[parents], joining)
    end_scores[ends] = -math.inf
