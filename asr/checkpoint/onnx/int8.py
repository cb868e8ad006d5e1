"""Linear and LSTM layers whose matrices are 8-bit integers, as nodes of an ONNX graph.

Weights get a scale per output. Activations get one as they come (dynamic quantisation): a linear
layer's and an LSTM's input one per utterance, an LSTM's state one per frame. A graph with such
layers must therefore run one utterance at a time.
"""

import numpy as np
from numpy.typing import NDArray
from torch import nn

from asr.checkpoint.onnx.graph import CONTRIBUTED, Graph
from asr.checkpoint.onnx.layers import FloatLayers, Recurrent, array, shape, stacked_weights

LARGEST = 63


class Int8Layers:
    """Layers with 8-bit matrices, but for GRU and plain RNN, of which ONNX Runtime has none."""

    def linear(self, graph: Graph, x: str, layer: nn.Linear) -> str:
        """Map (..., D) to (..., D')."""
        weights, scale = quantised(array(layer.weight).T, axis=0)
        inputs = (
            graph.constant(weights),
            graph.constant(scale[0]),
            "",
            graph.weight(array(layer.bias)),
        )
        return graph.node("DynamicQuantizeMatMul", x, *inputs, domain=CONTRIBUTED)

    def recurrent(self, graph: Graph, x: str, lengths: str, directions: list[Recurrent]) -> str:
        """Read (T, B, D) in one or two directions: (T, directions, B, D)."""
        if not isinstance(directions[0], nn.LSTM):
            return FloatLayers().recurrent(graph, x, lengths, directions)
        w, r, bias = stacked_weights(directions)
        matrices, scales = [], []
        for matrix in (w, r):
            weights, scale = quantised(matrix.transpose(0, 2, 1), axis=1)  # (directions, D, 4 * D)
            zero_points = graph.constant(np.zeros_like(scale[:, 0], np.int8))
            matrices.append(graph.constant(weights))
            scales += [graph.constant(scale[:, 0]), zero_points]
        no_state_no_peepholes = ("", "", "")
        return graph.node(
            "DynamicQuantizeLSTM",
            x,
            *matrices,
            graph.weight(bias),
            lengths,
            *no_state_no_peepholes,
            *scales,
            domain=CONTRIBUTED,
            **shape(directions),
        )


def quantised(
    weights: NDArray[np.float32], axis: int
) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Round weights to multiples of a scale, one for all that is summed along an axis.

    Returns:
        The multiples, and the scales with that axis kept.
    """
    largest = np.abs(weights).max(axis=axis, keepdims=True)
    scale = np.where(largest > 0, largest, 1.0).astype(np.float32) / np.float32(LARGEST)
    return np.rint(weights / scale).astype(np.int8), scale
