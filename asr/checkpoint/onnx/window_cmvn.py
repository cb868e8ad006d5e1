"""Normalisation over a window as nodes: the arithmetic of asr/features/window_cmvn.py.

Only sums are taken otherwise: ONNX Runtime is faster at a running sum than at slices. In float64 it
is exact enough for hours.
"""

import numpy as np

from asr.checkpoint.onnx.graph import Graph
from asr.features.config import FeatureConfig
from asr.features.window_cmvn import (
    HOLD,
    MAX_RANGE,
    MIN_RANGE,
    PRIOR_MEAN,
    PRIOR_SECONDS,
    PRIOR_STD,
    SMOOTHING,
    VOICED_RANGE,
    VOICED_SLOPE,
)

END = np.iinfo(np.int64).max  # of any axis


def add_window_cmvn(
    graph: Graph, log_mel: str, lengths: str, valid: str, config: FeatureConfig
) -> str:
    """Normalise (B, T, F), as `asr.features.window_cmvn.normalise_by_window`."""
    reach, smoothing, hold = (
        round(x / config.frame_shift) for x in (config.cmvn_window / 2, SMOOTHING / 2, HOLD)
    )
    energy = _window_mean(graph, log_mel, valid, smoothing)
    level = _level(graph, energy, lengths, valid, reach, hold)
    relative = graph.node("Sub", log_mel, level)
    is_valid = graph.unsqueeze(valid, 2)
    voiced = graph.zero_unless(is_valid, _voiced(graph, relative))
    floored = graph.node("Max", relative, -MAX_RANGE)
    values = graph.zero_unless(is_valid, floored)

    n_prior = PRIOR_SECONDS / config.frame_shift

    def with_prior(value: str, prior: float) -> str:
        return graph.node("Add", _window_sum(graph, value, reach), n_prior * prior)

    n_voiced = with_prior(voiced, 1.0)
    weighed = graph.node("Mul", voiced, values)
    mean = graph.node("Div", with_prior(weighed, PRIOR_MEAN), n_voiced)
    squares = with_prior(graph.node("Mul", weighed, values), PRIOR_MEAN**2 + PRIOR_STD**2)
    variance = graph.node(
        "Sub", graph.node("Div", squares, n_voiced), graph.node("Mul", mean, mean)
    )
    centred = graph.node("Sub", values, mean)
    return graph.zero_unless(is_valid, graph.node("Div", centred, graph.node("Sqrt", variance)))


def _voiced(graph: Graph, relative: str) -> str:
    """Return how voiced each frame is, (B, T, 1), from energies relative to the level."""
    above = graph.node("Add", _mean_energy(graph, relative), VOICED_RANGE)
    return graph.node("Sigmoid", graph.node("Mul", above, VOICED_SLOPE))


def _mean_energy(graph: Graph, log_mel: str) -> str:
    """Return each frame's mean over the features, (B, T, 1)."""
    return graph.node("ReduceMean", log_mel, axes=[2], keepdims=1)


def _window_mean(graph: Graph, log_mel: str, valid: str, reach: int) -> str:
    """Average the energy of the valid frames around each frame, (B, T, 1)."""
    is_valid = graph.unsqueeze(valid, 2)
    n_frames = _window_sum(graph, graph.cast(is_valid, "float32"), reach)
    n_frames = graph.node("Max", n_frames, 1.0)
    energy = graph.zero_unless(is_valid, _mean_energy(graph, log_mel))
    return graph.node("Div", _window_sum(graph, energy, reach), n_frames)


def _level(graph: Graph, energy: str, lengths: str, valid: str, reach: int, hold: int) -> str:
    """Return the level of the speech around each frame, (B, T, 1)."""
    is_valid = graph.unsqueeze(valid, 2)
    is_whole = _whole_stretches(graph, graph.size(energy, 1), lengths, reach)

    def highest(value: str, reach: int, n: int) -> str:
        inner = graph.node("Where", is_valid, value, -np.inf)
        ends = graph.integers(0, reach, 0, 0, reach, 0)
        padded = graph.node("Pad", inner, ends, -np.inf)
        return _sliding(graph, padded, n, "Max")

    def closed(value: str) -> str:
        by_start = highest(value, reach, reach + 1)
        whole = graph.node("Where", is_whole, by_start, np.inf)
        return highest(_sliding(graph, whole, reach + 1, "Min"), hold, 2 * hold + 1)

    quietest = graph.node("Neg", closed(graph.node("Neg", energy)))
    above_quietest = graph.node("Add", quietest, MIN_RANGE)
    return graph.node("Max", closed(energy), above_quietest)


def _whole_stretches(graph: Graph, n_frames: str, lengths: str, reach: int) -> str:
    """Mark the starts of stretches that the recording fills, (B, T + reach, 1), or that fill it."""
    n_starts = graph.node("Add", n_frames, reach)
    start = graph.node("Sub", graph.positions(n_starts), reach)
    last = graph.unsqueeze(graph.node("Sub", lengths, reach + 1), 1)
    is_late = graph.node("GreaterOrEqual", start, graph.node("Min", last, 0))
    is_early = graph.node("LessOrEqual", start, graph.node("Max", last, 0))
    return graph.unsqueeze(graph.node("And", is_late, is_early), 2)


def _window_sum(graph: Graph, values: str, reach: int) -> str:
    """Sum (B, T, F) over the frames up to `reach` on either side of each frame."""
    n = 2 * reach + 1
    padded = graph.node(
        "Pad", graph.cast(values, "float64"), graph.integers(0, reach + 1, 0, 0, reach, 0)
    )
    total = graph.node("CumSum", padded, 1)
    difference = graph.node("Sub", graph.slice(total, n, END, 1), graph.slice(total, 0, -n, 1))
    return graph.cast(difference, "float32")


def _sliding(graph: Graph, values: str, n: int, combine: str) -> str:
    """Combine each n frames in a row: (B, T + n - 1, F) to (B, T, F)."""
    if n == 1:
        return values
    half = _sliding(graph, values, n // 2, combine)
    even = graph.node(
        combine, graph.slice(half, 0, -(n // 2), 1), graph.slice(half, n // 2, END, 1)
    )
    if n % 2 == 0:
        return even
    return graph.node(combine, graph.slice(even, 0, -1, 1), graph.slice(values, n - 1, END, 1))
