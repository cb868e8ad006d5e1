"""Alignment: the most probable frames of given tokens."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from asr.errors import DataError, ShapeError
from asr.lengths import n_frames_needed
from asr.search.emission import BLANK, Emission, split_batch
from asr.search.hypothesis import Alignment, Hypothesis, from_alignment


def force_align(
    log_probs: NDArray[np.floating],
    lengths: NDArray[np.int64],
    tokens: Sequence[Sequence[int]],
) -> list[Hypothesis]:
    """Find when each token was most probably spoken (Viterbi over the CTC topology).

    Args:
        log_probs: (B, T, V) float, natural log, each frame normalised.
        lengths: (B,) int64, valid frames, 0 <= length <= T. Later frames are never read.
        tokens: B sequences of token ids, without blanks.

    Returns:
        One hypothesis per utterance, in batch order, with the given tokens. `score` is the log
        probability of the best alignment in nats; an empty utterance without tokens scores 0.0.

    Raises:
        ShapeError: `log_probs`, `lengths` and `tokens` do not fit each other, or a token is the
            blank or outside the vocabulary.
        DataError: A valid frame is not finite or not normalised, or an utterance has too few
            frames for its tokens, or gives them probability zero.

    References:
        Graves et al., "Connectionist Temporal Classification", ICML 2006, section 4.1.
    """
    emissions = split_batch(log_probs, lengths)
    if len(tokens) != len(emissions):
        raise ShapeError(f"expected {len(emissions)} token sequences, got {len(tokens)}")
    hypotheses = []
    for b, (emission, sequence) in enumerate(zip(emissions, tokens, strict=True)):
        name = f"utterance {b} of the batch"
        _check_tokens(sequence, emission, name)
        alignment, score = best_alignment(emission, sequence)
        if score == -np.inf:
            raise DataError(f"{name} gives its tokens probability zero")
        hypotheses.append(from_alignment(emission, alignment, score))
    return hypotheses


def best_alignment(
    emission: Emission, tokens: Sequence[int], *, boundary: int | None = None
) -> tuple[Alignment, float]:
    """Find the most probable alignment that collapses to the tokens, and its log probability.

    The states are the tokens with a blank before, between and after them; see `best_path`. Of
    equally probable steps the shorter wins, so that tokens start as early as possible.

    Args:
        emission: (T, V); T is at least `n_frames_needed(tokens)`.
        tokens: U token ids.
        boundary: Token id that counts as a blank before and after all tokens and beside itself.

    Returns:
        The alignment, (T,), and its score in nats: minus infinity if no path is possible.
    """
    from asr.search.viterbi import best_path  # here: greedy search needs no compiled code

    states = np.full(2 * len(tokens) + 1, BLANK, np.int64)  # (S,)
    states[1::2] = tokens
    n_frames, n_states = len(emission), len(states)
    path = np.empty(n_frames, np.int64)
    if not n_frames:
        return path, 0.0
    if boundary is not None:
        idle = np.logaddexp(emission[:, BLANK], emission[:, boundary])
        is_beside = np.append(states[1::2] == boundary, True)
        states[::2][is_beside | np.roll(is_beside, 1)] = emission.shape[1]
        emission = np.column_stack([emission, idle])
    best, steps = np.empty(n_states), np.empty((n_frames, n_states), np.int8)
    score = best_path(emission, states, best, steps, path)
    return np.where(path % 2, states[path], BLANK), score


def _check_tokens(tokens: Sequence[int], emission: Emission, name: str) -> None:
    (n_frames, n_tokens), n_needed = emission.shape, n_frames_needed(tokens)
    for token in tokens:
        if token == BLANK or not 0 <= token < n_tokens:
            raise ShapeError(f"the tokens of {name} must be in 1..{n_tokens - 1}, got {token}")
    if n_frames < n_needed:
        raise DataError(
            f"{name} has {n_frames} frames, but its {len(tokens)} tokens need at least {n_needed}: "
            "too little audio for this text"
        )
