"""Loader: the waveform of an utterance, a hash of many, and computing ahead in threads."""

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from asr.audio.pcm import PcmFormat
from asr.audio.read import read_waveform
from asr.audio.recording import open_recording
from asr.corpus.utterance import Utterance, without_folders

Argument = TypeVar("Argument")
Result = TypeVar("Result")


def read_utterance(utterance: Utterance, sample_rate: int) -> NDArray[np.float32]:
    """Read the waveform of an utterance, (N,) float32 at `sample_rate` Hz.

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


def utterance_blocks(
    utterance: Utterance, sample_rate: int, pcm: PcmFormat | None = None
) -> Iterator[NDArray[np.float32]]:
    """Read the waveform of an utterance block by block, (N,) each, in bounded memory.

    Raises:
        AudioError: As `read_utterance`, perhaps after some blocks.
    """
    with open_recording(utterance.audio_filepath, pcm=pcm) as recording:
        yield from recording.blocks(
            sample_rate,
            channel=utterance.channel,
            offset=utterance.offset,
            duration=utterance.duration,
        )


def recordings_hash(utterances: Sequence[Utterance]) -> str:
    """Hash what is heard in utterances, wherever it lies: another corpus may have the same ids."""
    content = hashlib.sha256()
    for utterance in without_folders(utterances):
        told = repr(replace(utterance, text=None, speaker=None))
        content.update(told.encode("utf-8", "surrogatepass"))
    for path in dict.fromkeys(utterance.audio_filepath for utterance in utterances):
        try:
            with Path(path).open("rb") as file:
                content.update(hashlib.file_digest(file, "sha256").digest())
        except (OSError, ValueError):  # a name that no file has; whoever reads it will name it
            content.update(b"\0")
    return content.hexdigest()


def prefetch(
    make: Callable[[Argument], Result],
    arguments: Iterable[Argument],
    *,
    depth: int,
    n_threads: int = 1,
    begin: Callable[[], object] | None = None,
) -> Iterator[Result]:
    """Yield `make(argument)` for each argument, computed in other threads up to `depth` ahead.

    Results come in the order of the arguments. An error is raised in place of its result. Each
    thread calls `begin` first.
    """
    with ThreadPoolExecutor(n_threads, "prefetch", initializer=begin) as pool:
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
