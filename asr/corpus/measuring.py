"""Measuring: how long the recordings of a corpus are, and which of them cannot be read."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from asr.audio.read import Extent, read_extent
from asr.audio.recording import SEGMENT_TOLERANCE, check_channel
from asr.corpus.groups import result_or_error
from asr.corpus.loader import read_utterance
from asr.corpus.utterance import CorpusReport, Problem, Utterance
from asr.errors import AudioError

SAMPLE_RATE = 16000  # Hz at which recordings are decoded; they may have any
ROUNDING = 0.001  # seconds that resampling may add or take

Progress = Callable[[int, int], None]
Argument = TypeVar("Argument")
Result = TypeVar("Result")


def measured(listed: CorpusReport, *, progress: Progress | None = None) -> CorpusReport:
    """Add durations, from the headers of the recordings; one that is refused is a problem.

    So is a channel that a recording lacks.

    Durations that are there are checked. Other tools round them, or estimate them from the size of
    an MP3 file: they may be up to 0.5 s off, and what the recording has is taken. One below that of
    the recording is a segment, unless it is as little off and the only one of its recording.

    Args:
        listed: Utterances, and the problems so far.
        progress: Called after each recording with the number of recordings so far, and of all.

    Returns:
        Utterances in their order, problems in order of their ids.
    """
    segments = dict.fromkeys((u.audio_filepath, u.segment) for u in listed.utterances)
    n_segments = Counter(path for path, _ in segments)
    found = _in_threads(lambda path: result_or_error(read_extent, path), n_segments, progress)
    extents = dict(zip(n_segments, found, strict=True))
    return _sorted_out(listed, (_measured(u, extents, n_segments) for u in listed.utterances))


def decoded(listed: CorpusReport, *, progress: Progress | None = None) -> CorpusReport:
    """Decode every utterance to its end, for damage that no header shows, and its true duration.

    A duration that only resampling would round stays as it is: a run that has begun goes on with
    a manifest without the damaged recordings, but not with other durations.

    Args:
        listed: As `measured` returns it.
        progress: Called after each utterance with the number of utterances so far, and of all.
    """
    return _sorted_out(listed, _in_threads(_decoded, listed.utterances, progress))


def _measured(
    utterance: Utterance,
    extents: Mapping[Path | str, Extent | AudioError],
    n_segments: Mapping[Path | str, int],
) -> Utterance | Problem:
    path, offset, given = utterance.audio_filepath, utterance.offset, utterance.duration
    extent = extents[path]
    if isinstance(extent, AudioError):
        return Problem(utterance.id, str(extent))
    try:
        check_channel(str(path), utterance.channel, extent.n_channels)
    except AudioError as error:
        return Problem(utterance.id, str(error))
    whole, rest = extent.duration, extent.duration - offset
    if rest <= 0 or (given is not None and given > rest + SEGMENT_TOLERANCE):
        end = "its end" if given is None else f"{offset + given:g} s"
        reason = f"{path}: has no segment from {offset:g} s to {end}; it lasts {whole:g} s"
        return Problem(utterance.id, reason)
    is_segment = bool(offset) or n_segments[path] > 1
    if given is not None and given < rest and (is_segment or given < rest - SEGMENT_TOLERANCE):
        return utterance
    return replace(utterance, duration=rest)


def _decoded(utterance: Utterance) -> Utterance | Problem:
    waveform = result_or_error(read_utterance, utterance, SAMPLE_RATE)
    if isinstance(waveform, AudioError):
        return Problem(utterance.id, str(waveform))
    seconds = len(waveform) / SAMPLE_RATE
    if utterance.duration is not None and abs(seconds - utterance.duration) < ROUNDING:
        return utterance
    return replace(utterance, duration=seconds)


def _in_threads(
    work: Callable[[Argument], Result], arguments: Iterable[Argument], progress: Progress | None
) -> Iterator[Result]:
    """Work at several arguments at a time; yield the results in order."""
    arguments = list(arguments)
    with ThreadPoolExecutor(thread_name_prefix="probe") as pool:
        for done, result in enumerate(pool.map(work, arguments), start=1):
            if progress is not None:
                progress(done, len(arguments))
            yield result


def _sorted_out(listed: CorpusReport, results: Iterable[Utterance | Problem]) -> CorpusReport:
    found = CorpusReport.of(results)
    problems = sorted((*listed.problems, *found.problems), key=lambda problem: problem.id)
    return replace(found, problems=tuple(problems))
