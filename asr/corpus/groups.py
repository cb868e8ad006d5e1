"""Groups: recordings read ahead, as many together as are computed at once."""

from collections.abc import Callable, Iterable, Iterator
from typing import ParamSpec, TypeVar

import numpy as np

from asr.audio.decoder import Waveform
from asr.audio.pcm import PcmFormat
from asr.audio.read import read_unless_longer
from asr.audio.source import STDIN
from asr.corpus.loader import prefetch
from asr.corpus.utterance import Utterance
from asr.errors import AudioError

READ_AHEAD = 8  # recordings

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
Loaded = tuple[Utterance, Waveform | AudioError | None]  # None: to be read block by block


def read_groups(
    utterances: Iterable[Utterance],
    sample_rate: int,
    *,
    longest: float,
    most: float,
    pcm: PcmFormat | None = None,
) -> Iterator[list[Loaded]]:
    """Read the recordings ahead of their use, and gather them.

    Args:
        utterances: What to read.
        sample_rate: Hz of the waveforms.
        longest: Seconds; what lasts longer is not read, nor is standard input.
        most: Seconds of a group, padding included, which only a single recording may exceed.
        pcm: The recordings are raw samples of this format.

    Yields:
        The utterances, in order, each with its waveform or the reason why there is none.
    """

    def read(utterance: Utterance) -> Waveform | None:
        if str(utterance.audio_filepath) == STDIN:  # can be read only once
            return None
        return read_unless_longer(
            utterance.audio_filepath,
            longest,
            sample_rate=sample_rate,
            channel=utterance.channel,
            offset=utterance.offset,
            duration=utterance.duration,
            pcm=pcm,
        )

    def load(utterance: Utterance) -> Loaded:
        return utterance, result_or_error(read, utterance)

    group: list[Loaded] = []
    longest_yet = 0
    for item in prefetch(load, utterances, depth=READ_AHEAD):
        length = len(item[1]) if isinstance(item[1], np.ndarray) else 0
        if group and max(longest_yet, length) * (len(group) + 1) > most * sample_rate:
            yield group
            group, longest_yet = [], 0
        group.append(item)
        longest_yet = max(longest_yet, length)
    if group:
        yield group


def result_or_error(
    call: Callable[Arguments, Result], *arguments: Arguments.args, **named: Arguments.kwargs
) -> Result | AudioError:
    """Return a call's result, or the reason why the audio cannot be used."""
    try:
        return call(*arguments, **named)
    except AudioError as error:
        return error
