"""Utterances that CTC cannot align: fewer frames than their tokens need.

Their loss is infinite. To find them before training is to know which they are; to set their loss to
zero, as is often done, is to hide bad data.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

from asr.corpus.problem import Problem
from asr.corpus.utterance import Utterance
from asr.errors import DataError


def min_ctc_frames(tokens: Sequence[int]) -> int:
    """Count the frames that CTC needs for a token sequence.

    One for each token, and one for the blank that must part a token from its repetition.

    References:
        Graves et al., "Connectionist Temporal Classification", ICML 2006, section 3.1.

    Example:
        >>> min_ctc_frames([3, 5, 5])
        4
    """
    return len(tokens) + sum(one == other for one, other in pairwise(tokens))


def too_short_for_ctc(
    utterances: Iterable[Utterance],
    *,
    n_frames_of: Callable[[float], int],
    tokens_of: Callable[[str], Sequence[int]],
) -> list[Problem]:
    """List the utterances that have fewer encoder frames than their reference needs.

    Args:
        utterances: With durations; those without a reference are passed over.
        n_frames_of: Frames that the encoder makes of so many seconds.
        tokens_of: Token ids of a reference.

    Raises:
        DataError: An utterance has no duration.
    """
    problems = []
    for utterance in utterances:
        if utterance.text is None:
            continue
        if utterance.duration is None:
            raise DataError(f"{utterance.id}: has no duration; prepare the manifest again")
        n_frames = n_frames_of(utterance.duration)
        n_needed = min_ctc_frames(tokens_of(utterance.text))
        if n_frames < n_needed:
            reason = f"{utterance.duration:g} s are {n_frames} frames; its tokens need {n_needed}"
            problems.append(Problem(utterance.id, reason))
    return problems
