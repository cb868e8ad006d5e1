"""Loader: planned batches become waveforms in memory, a few batches ahead of their use."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from torch import Tensor

from asr.audio.codec import through_mp3
from asr.audio.read import read_waveform
from asr.audio.speed import change_speed
from asr.corpus.utterance import Utterance
from asr.lengths import pad

Argument = TypeVar("Argument")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class WaveformBatch:
    """Some utterances and what they sound like.

    Attributes:
        utterances: B of them.
        waveforms: (B, N) float32, zeros behind the shorter ones.
        lengths: (B,) int64, samples.
    """

    utterances: tuple[Utterance, ...]
    waveforms: Tensor
    lengths: Tensor


def load_batch(
    utterances: Sequence[Utterance],
    *,
    sample_rate: int,
    speeds: Sequence[float] | None = None,
    codecs: Sequence[int | None] | None = None,
) -> WaveformBatch:
    """Read the audio of some utterances, and change it as asked.

    Args:
        utterances: What to read.
        sample_rate: Hz; audio at another rate is resampled.
        speeds: The factor by which each is played faster; None leaves all as they are.
        codecs: The setting of `through_mp3` for each, None for none; None spares all.

    Raises:
        AudioError: A recording cannot be read; the message names it.
    """
    waveforms = []
    for i, utterance in enumerate(utterances):
        waveform = read_utterance(utterance, sample_rate)
        waveform = change_speed(waveform, sample_rate, speeds[i] if speeds else 1.0)
        codec = codecs[i] if codecs else None
        waveforms.append(waveform if codec is None else through_mp3(waveform, sample_rate, codec))
    padded, lengths = pad(waveforms)
    return WaveformBatch(tuple(utterances), padded, lengths)


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


def prefetch(
    make: Callable[[Argument], Result], arguments: Iterable[Argument], *, depth: int
) -> Iterator[Result]:
    """Compute `make(argument)` for each argument in a thread of its own, up to `depth` ahead.

    Results come in the order of the arguments. An error is raised where its result would have come.
    """
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="prefetch") as pool:
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
