from collections.abc import Iterator
from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from asr.runtime.windows import Windows, cut, emit

SAMPLES_PER_FRAME = 4


@given(st.lists(st.integers(0, 90), max_size=8), st.integers(1, 6), st.integers(0, 4))
def test_the_kept_frames_are_those_of_the_recording_with_their_context(
    sizes: list[int], stride: int, context: int
) -> None:
    recording = np.arange(sum(sizes), dtype=np.float32)
    blocks = np.split(recording, np.cumsum(sizes[:-1])) if sizes else []
    kept: list[np.ndarray] = []
    for window in cut(blocks, SAMPLES_PER_FRAME, stride, context):
        n_frames = -(-len(window.waveform) // SAMPLES_PER_FRAME)
        stop = n_frames if window.stop is None else window.stop
        first = int(window.waveform[0]) if len(window.waveform) else 0
        assert window.start == min(context, first // SAMPLES_PER_FRAME + window.start)
        assert first == 0 or window.start == context
        assert window.stop is None or n_frames == stop + context
        kept.append(window.waveform[window.start * SAMPLES_PER_FRAME : stop * SAMPLES_PER_FRAME])
    np.testing.assert_array_equal(np.concatenate(kept), recording)


@pytest.mark.parametrize("n_frames", [0, 1, 14])
def test_a_short_recording_is_one_window(n_frames: int) -> None:
    recording = np.ones(n_frames * SAMPLES_PER_FRAME, np.float32)
    (window,) = cut([recording], SAMPLES_PER_FRAME, stride=10, context=2)
    assert len(window.waveform) == len(recording)
    assert (window.start, window.stop) == (0, None)


def test_a_prompt_window_waits_for_its_context_alone() -> None:
    n_read = 0

    def blocks() -> Iterator[np.ndarray]:
        nonlocal n_read
        for n_read in range(1, 101):  # noqa: B007 (read below)
            yield np.zeros(SAMPLES_PER_FRAME, np.float32)

    windows = cut(blocks(), SAMPLES_PER_FRAME, stride=5, context=3, is_prompt=True)
    waits = [n_read - 5 * number for number, _ in enumerate(islice(windows, 10))]
    assert (
        max(waits) == 5 + 3 + 1
    )  # frames from the first one of a window; one shows that it goes on


def test_what_is_past_is_not_held() -> None:
    """However long the recording, and in whatever blocks it comes."""
    blocks = (np.zeros(7, np.float32) for _ in range(5000))
    longest = max(len(window.waveform) for window in cut(blocks, 4, stride=10, context=3))
    assert longest <= (10 + 2 * 3 + 3) * 4 + 7


class Blur:
    """An engine whose frames know of two frames on either side, as a network knows of more."""

    sample_rate, heads = 100, {"text": 2}

    def log_probs(
        self, waveforms: NDArray[np.float32], lengths: NDArray[np.int64], head: str
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        frames = [_blurred(row[:n]) for row, n in zip(waveforms, lengths, strict=True)]
        counts = np.array([len(own) for own in frames])
        stacked = np.zeros((len(frames), counts.max(initial=0), self.heads[head]), np.float32)
        for row, own in zip(stacked, frames, strict=True):
            row[: len(own), 0] = own
        return stacked, counts


def _blurred(waveform: NDArray[np.float32]) -> NDArray[np.float32]:
    n_frames = len(waveform) // SAMPLES_PER_FRAME
    own = waveform[: n_frames * SAMPLES_PER_FRAME].reshape(n_frames, SAMPLES_PER_FRAME).sum(axis=1)
    return np.convolve(own, np.ones(5, np.float32), "full")[2 : 2 + n_frames] if n_frames else own


@given(st.lists(st.integers(0, 90), max_size=8), st.integers(1, 3), st.integers(0, 2))
def test_what_is_kept_of_the_windows_is_the_output_for_the_whole(
    sizes: list[int], n_threads: int, n_ahead: int
) -> None:
    recording = np.random.default_rng(1).integers(-9, 9, sum(sizes)).astype(np.float32)
    blocks = np.split(recording, np.cumsum(sizes[:-1])) if sizes else []
    windows = Windows(stride=0.2, context=0.08, n_threads=n_threads, n_ahead=n_ahead)
    pieces = list(emit(blocks, Blur(), "text", frame_shift=0.04, windows=windows))
    (whole,), _ = Blur().log_probs(recording[None], np.array([len(recording)]), "text")
    np.testing.assert_array_equal(np.concatenate(pieces), whole)
