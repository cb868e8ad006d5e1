"""Measuring: how long the recordings of a corpus are, and which of them cannot be read."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from asr.audio.read import read_duration
from asr.corpus.utterance import CorpusReport, Problem, Utterance
from asr.errors import AudioError

Progress = Callable[[int, int], None]


def measured(listed: CorpusReport, *, progress: Progress | None = None) -> CorpusReport:
    """Add durations, from the headers of the recordings; one that is refused is a problem.

    Args:
        listed: Utterances, and the problems so far.
        progress: Called after each recording with the number of recordings so far, and of all.

    Returns:
        Utterances in their order, problems in order of their ids.
    """
    found = list(_measure_all(listed.utterances, progress))
    problems = [*listed.problems, *(one for one in found if isinstance(one, Problem))]
    return CorpusReport(
        tuple(one for one in found if isinstance(one, Utterance)),
        tuple(sorted(problems, key=lambda problem: problem.id)),
    )


def _measure_all(
    utterances: Sequence[Utterance], progress: Progress | None
) -> Iterator[Utterance | Problem]:
    """Read the headers, several at a time; return the results in order."""
    with ThreadPoolExecutor(thread_name_prefix="probe") as pool:
        for done, one in enumerate(pool.map(_measure, utterances), start=1):
            if progress is not None:
                progress(done, len(utterances))
            yield one


def _measure(utterance: Utterance) -> Utterance | Problem:
    try:
        return replace(utterance, duration=read_duration(utterance.audio_filepath))
    except AudioError as error:
        return Problem(utterance.id, str(error))
