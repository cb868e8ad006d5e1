"""Prefix beam search: the most probable token sequences, each summed over its alignments.

A prefix is what a path spells so far. Many paths spell the same prefix, and the search carries the
sum of their probabilities in two parts, by whether a path ends in a blank or in the last token:
only behind a blank is that token, heard once more, a new one.

    prefix `ab`       next: blank      next: b       next: c
    ends in blank     `ab`, blank      `abb`, b      `abc`, c
    ends in b         `ab`, blank      `ab`, b       `abc`, c

Frame after frame every prefix stays or is extended by every token, in arrays of shape (K, V); the
best K of all that come out make the next beam.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from asr.errors import ConfigError
from asr.search.alignment import best_alignment
from asr.search.emission import Emission, split_batch
from asr.search.hypothesis import Hypothesis, from_alignment
from asr.search.prefix_tree import PrefixTree

Numbers = NDArray[np.intp]
Scores = NDArray[np.float64]  # nats


@dataclass(frozen=True, slots=True)
class BeamConfig:
    """How widely to search.

    Args:
        beam_size: Prefixes kept after every frame.
        beam_threshold: Prefixes this many nats or more below the best are dropped; infinity keeps
            all that the beam holds.
        n_best: Hypotheses returned, at most; no more than `beam_size`.

    Raises:
        ConfigError: A value is out of its range.
    """

    beam_size: int
    beam_threshold: float
    n_best: int

    def __post_init__(self) -> None:
        if self.beam_size < 1:
            raise ConfigError(f"beam_size must be at least 1, got {self.beam_size}")
        if not self.beam_threshold > 0:
            raise ConfigError(f"beam_threshold must be above 0 nats, got {self.beam_threshold}")
        if not 1 <= self.n_best <= self.beam_size:
            raise ConfigError(
                f"n_best must be in 1..beam_size ({self.beam_size}), got {self.n_best}"
            )


def prefix_beam_search(
    log_probs: Tensor, lengths: Tensor, config: BeamConfig, *, blank: int = 0
) -> list[list[Hypothesis]]:
    """Find the most probable token sequences of every utterance.

    With a beam wide enough to keep every prefix the scores are exact; a narrower one misses the
    alignments that pass through a prefix it dropped, so that a score is a lower bound.

    Args:
        log_probs: (B, T, V) float, natural log, each frame normalised.
        lengths: (B,) int64, valid frames, 0 <= length <= T. Later frames are never read.
        config: How widely to search.
        blank: Token id of the CTC blank, 0 <= blank < V.

    Returns:
        Per utterance, in batch order, 1 to `n_best` hypotheses of distinct tokens, best first.
        `score` is the log probability of the tokens in nats; frames and confidences are those of
        their best alignment. An empty utterance has the empty hypothesis, with score 0.0.

    Raises:
        ShapeError: `log_probs` is not (B, T, V), or `lengths` do not belong to it.
        DataError: A valid frame is not finite or not normalised.

    References:
        Graves, "Supervised Sequence Labelling with Recurrent Neural Networks", 2012, section 7.5.
        Hannun et al., "First-Pass Large Vocabulary Continuous Speech Recognition using
        Bi-Directional Recurrent DNNs", arXiv:1408.2873, 2014.

    Example:
        >>> import math, torch
        >>> log_probs = torch.tensor([[[0.6, 0.4], [0.6, 0.4]]]).log()  # blank is likelier
        >>> config = BeamConfig(beam_size=4, beam_threshold=20.0, n_best=2)
        >>> (best, second), = prefix_beam_search(log_probs, torch.tensor([2]), config)
        >>> best.tokens, round(math.exp(best.score), 2)  # yet three paths of four spell (1,)
        ((1,), 0.64)
    """
    emissions = split_batch(log_probs, lengths, blank=blank)
    return [search_emission(emission, config, blank=blank) for emission in emissions]


def search_emission(emission: Emission, config: BeamConfig, *, blank: int) -> list[Hypothesis]:
    """Search one utterance; `prefix_beam_search` without the batch and the checks."""
    tree = PrefixTree()
    beam = _empty_prefix(blank)
    for frame in emission:
        beam = _advance(beam, frame, tree, config, blank)
    hypotheses = []
    for prefix, score in zip(beam.prefixes[: config.n_best], beam.scores, strict=False):
        alignment, _ = best_alignment(emission, tree.tokens(int(prefix)), blank=blank)
        hypotheses.append(from_alignment(emission, alignment, float(score), blank=blank))
    return hypotheses


@dataclass(frozen=True, slots=True)
class _Beam:
    """K prefixes, best first; the empty prefix has no parent, and a blank for its last token."""

    prefixes: Numbers  # (K,) in the tree
    parents: Numbers  # (K,) the same prefixes without their last token
    last: Numbers  # (K,) that token
    ends_in_blank: Scores  # (K,) log probability of the paths that end in a blank
    ends_in_token: Scores  # (K,) and of those that end in the last token

    @property
    def scores(self) -> Scores:
        """Log probability of all paths of each prefix, (K,)."""
        total: Scores = np.logaddexp(self.ends_in_blank, self.ends_in_token)
        return total


def _empty_prefix(blank: int) -> _Beam:
    root, no_parent = np.array([PrefixTree.ROOT]), np.array([-1])
    return _Beam(root, no_parent, np.array([blank]), np.array([0.0]), np.array([-np.inf]))


def _advance(beam: _Beam, frame: Scores, tree: PrefixTree, config: BeamConfig, blank: int) -> _Beam:
    """Hear one more frame, (V,)."""
    scores, last = beam.scores, beam.last
    blank_heard = scores + frame[blank]  # (K,)
    last_heard = beam.ends_in_token + frame[last]  # (K,)
    outcomes = scores[:, None] + frame  # (K, V), each prefix extended by each token
    outcomes[np.arange(len(last)), last] = beam.ends_in_blank + frame[last]

    # Where an extended prefix is another one of the beam, it is counted there, and only there.
    child, parent = np.nonzero(beam.parents[:, None] == beam.prefixes)
    last_heard[child] = np.logaddexp(last_heard[child], outcomes[parent, last[child]])
    outcomes[parent, last[child]] = -np.inf

    # A blank extends nothing: its column holds the prefixes that stay as they are.
    outcomes[:, blank] = np.logaddexp(blank_heard, last_heard)

    kept = _best_indices(outcomes.ravel(), config)
    source, token = np.divmod(kept, len(frame))
    stays = token == blank
    return _Beam(
        prefixes=_numbers(beam.prefixes[source], token, stays, tree),
        parents=np.where(stays, beam.parents[source], beam.prefixes[source]),
        last=np.where(stays, last[source], token),
        ends_in_blank=np.where(stays, blank_heard[source], -np.inf),
        ends_in_token=np.where(stays, last_heard[source], outcomes[source, token]),
    )


def _best_indices(outcomes: Scores, config: BeamConfig) -> Numbers:
    """Choose what survives: within the threshold and the beam, best first, ties in order."""
    kept = np.flatnonzero(outcomes >= outcomes.max() - config.beam_threshold)
    kept = kept[outcomes[kept] > -np.inf]  # where the threshold is infinite: not the impossible
    if len(kept) > config.beam_size:
        least = np.partition(outcomes[kept], -config.beam_size)[-config.beam_size]
        kept = kept[outcomes[kept] >= least]
    order = np.argsort(-outcomes[kept], kind="stable")
    return kept[order[: config.beam_size]]


def _numbers(
    sources: Numbers, token: Numbers, stays: NDArray[np.bool_], tree: PrefixTree
) -> Numbers:
    prefixes = sources.copy()
    for k in np.flatnonzero(~stays).tolist():
        prefixes[k] = tree.child(int(sources[k]), int(token[k]))
    return prefixes
