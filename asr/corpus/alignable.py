"""Utterances that CTC cannot align, because they have fewer frames than their tokens need.

Their loss is infinite. Setting it to zero, as is often done, hides bad data.
"""

from collections.abc import Callable, Iterable, Sequence

from asr.corpus.utterance import Problem, Utterance
from asr.errors import DataError
from asr.lengths import n_frames_needed


def too_short_for_ctc(
    utterances: Iterable[Utterance],
    *,
    n_frames_of: Callable[[float], int],
    tokens_of: Callable[[str], Sequence[int]],
) -> list[Problem]:
    """List the utterances that have fewer encoder frames than their reference needs, at least one.

    Args:
        utterances: With durations; those without a reference are skipped.
        n_frames_of: Number of encoder frames in so many seconds.
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
        n_needed = max(1, n_frames_needed(tokens_of(utterance.text)))
        if n_frames < n_needed:
            reason = f"{utterance.duration:g} s are {n_frames} frames; its tokens need {n_needed}"
            problems.append(Problem(utterance.id, reason))
    return problems
