"""The front-end as nodes of an ONNX graph: the arithmetic of asr/features, step by step.

Precision: as in asr.features.fbank, each windowed frame has the bits of Kaldi's, and the spectrum
is float64. ONNX Runtime's own DFT is slower than the one matrix product here, which computes only
the frequencies that mel filters use.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from asr.checkpoint.onnx.graph import Graph
from asr.checkpoint.onnx.layers import array
from asr.checkpoint.onnx.window_cmvn import add_window_cmvn
from asr.features.cmvn import MIN_STD
from asr.features.deltas import kernels
from asr.features.fbank import PREEMPHASIS, SAMPLE_SCALE, LogMel
from asr.features.front_end import FrontEnd
from asr.features.mfcc import Mfcc


@dataclass(frozen=True, slots=True)
class Frames:
    """Names of a value and of what belongs to it.

    Attributes:
        values: (B, T, F), or (T, B, D) in the encoder.
        lengths: (B,) int64, valid frames.
        valid: (B, T) bool, False = padding.
    """

    values: str
    lengths: str
    valid: str


def add_front_end(graph: Graph, front_end: FrontEnd, waveforms: str, lengths: str) -> Frames:
    """Add what `front_end` computes: waveforms (B, N) to normalised features (B, T, F).

    Unlike there, T is at least 1, so that no later operator meets an empty tensor; the lengths are
    the same.
    """
    features = _log_mel(graph, front_end.log_mel, waveforms, lengths)
    if isinstance(front_end.cepstra, Mfcc):
        transform = graph.constant(array(front_end.cepstra.transform))
        features = replace(features, values=graph.node("MatMul", features.values, transform))
    features = replace(features, values=_add_deltas(graph, features, front_end))
    return replace(features, values=_normalise(graph, features, front_end))


def _log_mel(graph: Graph, log_mel: LogMel, waveforms: str, lengths: str) -> Frames:
    """Compute (B, T, n_mels), zero in the padding."""
    frames = _frames(graph, log_mel, waveforms, lengths)
    weights = array(log_mel.mel_weights)  # (bins, n_mels)
    bins = np.flatnonzero(weights.any(1))
    power = _power(graph, _windowed(graph, frames.values, log_mel), log_mel, bins)
    energies = graph.node("MatMul", power, graph.constant(weights[bins]))
    floored = graph.node("Max", energies, math.exp(log_mel.min_log_energy))
    logarithms = graph.node("Log", floored)
    zeroed = graph.zero_unless(graph.unsqueeze(frames.valid, 2), logarithms)
    return replace(frames, values=zeroed)


def _frames(graph: Graph, log_mel: LogMel, waveforms: str, lengths: str) -> Frames:
    """Cut (B, N) samples into overlapping frames, (B, T, samples_per_frame), T at least 1.

    Frames are gathered in pieces, whose size is the greatest that divides both frame and shift:
    gathering rows of 80 samples is much faster than gathering single ones.
    """
    size, shift = log_mel.samples_per_frame, log_mel.samples_per_shift
    piece = math.gcd(size, shift)
    n_samples = graph.size(waveforms, 1)
    n_frames = graph.node("Max", _n_frames(graph, n_samples, size, shift), 1)
    silent = graph.zero_unless(graph.valid(lengths, n_samples), waveforms)
    scaled = graph.node("Mul", silent, SAMPLE_SCALE)
    starts = graph.node("Mul", graph.positions(n_frames), shift // piece)
    needed = graph.node("Add", graph.node("Mul", n_frames, shift), size - shift)
    missing = graph.unsqueeze(graph.node("Sub", needed, n_samples), 0)  # negative: too many
    widths = graph.node("Concat", graph.integers(0, 0, 0), missing, axis=0)
    padded = graph.node("Pad", scaled, widths)
    pieces = graph.node("Reshape", padded, graph.integers(0, -1, piece))
    index = graph.node(  # (T, pieces in a frame)
        "Add", graph.unsqueeze(starts, 1), graph.constant(np.arange(size // piece))
    )
    gathered = graph.node("Gather", pieces, index, axis=1)
    frames = graph.node("Reshape", gathered, graph.integers(0, 0, size))
    frame_lengths = _n_frames(graph, lengths, size, shift)
    return Frames(frames, frame_lengths, graph.valid(frame_lengths, n_frames))


def _n_frames(graph: Graph, n_samples: str, size: int, shift: int) -> str:
    """Count whole frames, as `asr.lengths.n_frames`; ONNX divides towards zero."""
    beyond_first = graph.node("Sub", n_samples, size - shift)
    return graph.node("Max", graph.node("Div", beyond_first, shift), 0)


def _windowed(graph: Graph, frames: str, log_mel: LogMel) -> str:
    """Remove each frame's mean, pre-emphasise and window it; the bits are those of `LogMel`."""
    size = log_mel.samples_per_frame
    total = graph.node("ReduceSum", frames, graph.integers(2), keepdims=1)
    centred = graph.node("Sub", frames, graph.node("Div", total, float(size)))
    first, but_last = graph.slice(centred, 0, 1, 2), graph.slice(centred, 0, size - 1, 2)
    previous = graph.node("Concat", first, but_last, axis=2)
    lowered = graph.node("Mul", previous, PREEMPHASIS)
    emphasised = graph.node("Sub", centred, lowered)
    return graph.node("Mul", emphasised, graph.constant(array(log_mel.window)))


def _power(graph: Graph, windowed: str, log_mel: LogMel, bins: NDArray[np.intp]) -> str:
    """Compute the power spectrum at some bins: (B, T, samples_per_frame) to (B, T, bins).

    Power does not depend on where time begins. Counted from a frame's middle, its even part has
    only cosines and its odd part only sines, so each needs half the frame's samples.
    """
    size = log_mel.samples_per_frame
    frames = graph.cast(windowed, "float64")
    begin = graph.slice(frames, 0, (size + 1) // 2, axis=2)
    end = graph.reversed(frames, (size + 1) // 2, axis=2)
    squares = []
    for operator, wave in (("Add", np.cos), ("Sub", np.sin)):
        half = graph.node(operator, begin, end)
        part = graph.node("MatMul", half, _waves(graph, log_mel, bins, wave))
        squares.append(graph.node("Mul", part, part))
    return graph.cast(graph.node("Add", *squares), "float32")


def _waves(graph: Graph, log_mel: LogMel, bins: NDArray[np.intp], wave: np.ufunc) -> str:
    """Return cosines or sines about a frame's middle, (samples_per_frame / 2, bins) float64.

    The file holds one period; the matrix is looked up in it when the model is loaded.
    """
    size, fft_size = log_mel.samples_per_frame, 2 * (len(log_mel.mel_weights) - 1)
    halves = np.arange(1 - size, 1, 2)  # half samples before the middle
    phases = graph.node("Mul", graph.constant(halves[:, None]), graph.constant(bins))
    phases = graph.node("Mod", phases, 2 * fft_size)
    period = wave(np.pi / fft_size * np.arange(2 * fft_size))
    waves = graph.node("Gather", graph.constant(period), phases, axis=0)
    share = np.where(halves == 0, 0.5, 1.0)  # a sample in the middle is in both halves
    return graph.node("Mul", waves, graph.constant(share[:, None]))


def _add_deltas(graph: Graph, features: Frames, front_end: FrontEnd) -> str:
    """Append time derivatives, as `asr.features.deltas.add_deltas`; zero in the padding."""
    order = front_end.config.delta_order
    if order == 0:
        return features.values
    derivatives = [_filter(graph, features, kernel) for kernel in kernels(order)]
    together = graph.node("Concat", features.values, *derivatives, axis=2)
    return graph.zero_unless(graph.unsqueeze(features.valid, 2), together)


def _filter(graph: Graph, features: Frames, kernel: list[float]) -> str:
    """Weigh the frames around each frame, the first and last valid ones repeated."""
    n_frames, reach = graph.size(features.values, 1), len(kernel) // 2
    last = graph.node("Sub", graph.unsqueeze(features.lengths, 1), 1)
    total = ""
    for i, weight in enumerate(kernel):
        position = graph.node("Add", graph.positions(n_frames), i - reach)
        within = graph.node("Max", graph.node("Min", position, last), 0)  # (B, T)
        rows = graph.node("GatherND", features.values, graph.unsqueeze(within, 2), batch_dims=1)
        weighed = graph.node("Mul", rows, weight)
        total = graph.node("Add", total, weighed) if total else weighed
    return total


def _normalise(graph: Graph, features: Frames, front_end: FrontEnd) -> str:
    """Apply CMVN; zero in the padding."""
    match front_end.config.cmvn:
        case "global":
            std = front_end.std.clamp(min=MIN_STD)
            mean_name, std_name = (graph.constant(array(x)) for x in (front_end.mean, std))
        case "utterance":
            mean_name, std_name = _utterance_statistics(graph, features)
        case "window":
            return add_window_cmvn(
                graph, features.values, features.lengths, features.valid, front_end.config
            )
        case _:
            return features.values
    centred = graph.node("Sub", features.values, mean_name)
    scaled = graph.node("Div", centred, std_name)
    return graph.zero_unless(graph.unsqueeze(features.valid, 2), scaled)


def _utterance_statistics(graph: Graph, features: Frames) -> tuple[str, str]:
    """Return mean and standard deviation over the valid frames, (B, 1, F) each."""
    n_frames = graph.node("Max", features.lengths, 1)
    n_frames = graph.cast(graph.unsqueeze(n_frames, 1, 2), "float32")  # (B, 1, 1)

    def average(values: str) -> str:
        total = graph.node("ReduceSum", values, graph.integers(1), keepdims=1)
        return graph.node("Div", total, n_frames)

    mean = average(features.values)
    centred = graph.node("Sub", features.values, mean)
    centred = graph.zero_unless(graph.unsqueeze(features.valid, 2), centred)
    std = graph.node("Sqrt", average(graph.node("Mul", centred, centred)))
    return mean, graph.node("Max", std, MIN_STD)
