"""Windows: a recording of any length, for a network that hears a stretch of it at a time.

A recording is cut into stretches of `STRIDE` seconds. The network hears each with `CONTEXT` seconds
before and after, so that it knows what surrounds a frame that is kept. The frames of the context
are dropped, and what is kept of all windows is the output for the recording.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from asr.audio.decoder import Waveform
from asr.corpus.loader import prefetch
from asr.errors import ConfigError
from asr.runtime.emissions import Emission
from asr.runtime.engine import Engine

STRIDE, CONTEXT = 60.0, 12.0  # seconds
LONGEST_WHOLE = STRIDE + 2 * CONTEXT  # seconds; what lasts longer is computed window by window

# Seconds, for `Recognizer.stream` while somebody speaks: the median word comes 4.0 s late, the last
# one 4.5, and no more are wrong than in the whole recording (docs/experiments.md, 2026-11-29).
LIVE_STRIDE, LIVE_CONTEXT, LIVE_PATIENCE = 0.5, 2.0, 2.0


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """A stretch of a recording with its context.

    Attributes:
        waveform: (N,), its samples.
        start: The first of its frames that is kept.
        stop: The first one that is no longer kept; None: all are, to the end of the recording.
    """

    waveform: Waveform
    start: int
    stop: int | None


@dataclass(frozen=True, slots=True)
class Windows:
    """How a recording is cut and computed.

    Attributes:
        stride: Seconds that are kept of each window.
        context: Seconds before and after these.
        n_threads: Windows to compute at the same time.
        n_ahead: Groups of so many windows to compute before they are asked for.
        is_prompt: Cut a window as soon as its context has arrived, so that the last may be short.

    Raises:
        ConfigError: Stride or context is below 0 s, or not finite.
    """

    stride: float = STRIDE
    context: float = CONTEXT
    n_threads: int = 1
    n_ahead: int = 1
    is_prompt: bool = False

    def __post_init__(self) -> None:
        for name, seconds in (("stride", self.stride), ("context", self.context)):
            if not 0 <= seconds < math.inf:
                raise ConfigError(f"expected a {name} of 0 seconds or more, got {seconds}")


def emit(
    blocks: Iterable[Waveform],
    engine: Engine,
    head: str,
    *,
    frame_shift: float,
    windows: Windows,
) -> Iterator[Emission]:
    """Compute the output of one head for a recording, a window at a time.

    Args:
        blocks: The recording at the engine's rate, in pieces of any lengths.
        engine: Computes the network.
        head: The output's name.
        frame_shift: Seconds from one frame of the output to the next.
        windows: How to cut and compute it.

    Yields:
        At least one piece of the output, (T, V) natural-log probabilities, perhaps of no frames.
    """
    stretches = cut(
        blocks,
        round(frame_shift * engine.sample_rate),
        max(1, round(windows.stride / frame_shift)),
        round(windows.context / frame_shift),
        is_prompt=windows.is_prompt,
    )

    def compute(group: list[Window]) -> list[Emission]:
        log_probs, lengths = engine.log_probs(*padded([each.waveform for each in group]), head)
        ends = [
            n if each.stop is None else each.stop for each, n in zip(group, lengths, strict=True)
        ]
        return [
            emission[each.start : end]
            for each, emission, end in zip(group, log_probs, ends, strict=True)
        ]

    groups = iter(lambda: list(islice(stretches, windows.n_threads)), [])
    for emissions in prefetch(compute, groups, depth=windows.n_ahead):
        yield from emissions


def cut(
    blocks: Iterable[Waveform],
    samples_per_frame: int,
    stride: int,
    context: int,
    *,
    is_prompt: bool = False,
) -> Iterator[Window]:
    """Cut a recording into overlapping windows, the last one longer rather than short.

    Args:
        blocks: The recording, in pieces of any lengths.
        samples_per_frame: Samples from one frame of the output to the next.
        stride: Frames that are kept of each window.
        context: Frames before and after these.
        is_prompt: See `Windows`.

    Yields:
        At least one window. A recording of up to `stride + 2 * context` frames is a single one,
        unless it is cut promptly.
    """
    held, start = np.zeros(0, np.float32), 0
    least = stride + (context if is_prompt else 2 * context)
    for block in blocks:
        held = np.concatenate([held, block])
        while len(held) > (start + least) * samples_per_frame:
            stop = start + stride
            yield Window(held[: (stop + context) * samples_per_frame], start, stop)
            n_past = max(0, stop - context)
            held, start = held[n_past * samples_per_frame :], stop - n_past
    yield Window(held, start, None)


def padded(waveforms: list[Waveform]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Stack waveforms, zeros after the shorter ones: (B, N), and their lengths, (B,)."""
    lengths = np.array([len(waveform) for waveform in waveforms], np.int64)
    stacked = np.zeros((len(waveforms), lengths.max(initial=0)), np.float32)
    for row, waveform in zip(stacked, waveforms, strict=True):
        row[: len(waveform)] = waveform
    return stacked, lengths


def measured(blocks: Iterable[Waveform], lengths: list[int]) -> Iterator[Waveform]:
    """Yield the blocks, and append the length of each to `lengths`."""
    for block in blocks:
        lengths.append(np.size(block))
        yield block
