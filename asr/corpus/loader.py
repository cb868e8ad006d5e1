"""Loader: utterances become waveforms in memory, some of them ahead of their use."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from torch import Tensor

from asr.audio.codec import through_mp3
from asr.audio.noise import add_noise
from asr.audio.read import read_waveform
from asr.audio.reverberation import reverberate
from asr.audio.speed import change_speed
from asr.corpus.batching import Rendition
from asr.corpus.utterance import Utterance

Argument = TypeVar("Argument")
Result = TypeVar("Result")


def read_utterance(utterance: Utterance, sample_rate: int) -> Tensor:
    """Read the stretch of a recording that an utterance is: (N,) float32 at `sample_rate` Hz.

    Raises:
        AudioError: The recording cannot be read; the message names it.
    """
    return read_waveform(
        utterance.audio_filepath,
        sample_rate=sample_rate,
        channel=utterance.channel,
        offset=utterance.offset,
        duration=utterance.duration,
    )


def read_rendition(utterance: Utterance, sample_rate: int, rendition: Rendition) -> Tensor:
    """Read an utterance as it is played in some epoch: (N,) float32 at `sample_rate` Hz.

    Raises:
        AudioError: The recording cannot be read; the message names it.
    """
    waveform = read_utterance(utterance, sample_rate)
    waveform = change_speed(waveform, sample_rate, rendition.speed)
    if rendition.room is not None:
        waveform = reverberate(waveform, sample_rate, rendition.room)
    if rendition.noise is not None:
        waveform = add_noise(waveform, sample_rate, rendition.noise)
    if rendition.codec is not None:
        waveform = through_mp3(waveform, sample_rate, rendition.codec)
    return waveform


def prefetch(
    make: Callable[[Argument], Result],
    arguments: Iterable[Argument],
    *,
    depth: int,
    n_threads: int = 1,
) -> Iterator[Result]:
    """Compute `make(argument)` for each argument in threads of their own, up to `depth` ahead.

    Results come in the order of the arguments. An error is raised where its result would have come.
    """
    with ThreadPoolExecutor(n_threads, thread_name_prefix="prefetch") as pool:
        ahead: deque[Future[Result]] = deque()
        try:
            for argument in arguments:
                ahead.append(pool.submit(make, argument))
                if len(ahead) > depth:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            for future in ahead:
                future.cancel()
