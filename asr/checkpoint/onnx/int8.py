"""LSTM layers whose matrices are 8-bit integers, as nodes of an ONNX graph.

They hold nine tenths of a network's weights and take nine tenths of its time. Linear layers stay in
floating point: the one after the convolutions costs as much accuracy in 8 bits as an LSTM layer,
and saves little.

Weights are symmetric, in -127..127, with a scale for each unit of each gate. Activations are
quantised at run time, in unsigned 8 bits: a layer's input with one scale per utterance, its state
with one per frame. A graph with such layers must therefore run one utterance at a time.

On x86 processors without VNNI instructions the fast product of unsigned and signed bytes saturates
at 16 bits. `OnnxEngine` asks ONNX Runtime for the exact one there, so that all processors give the
same text. Weights in -63..63 would not saturate, but double the distance to the float32 model.
"""

import numpy as np
from numpy.typing import NDArray

from asr.checkpoint.onnx.graph import CONTRIBUTED, Graph
from asr.checkpoint.onnx.layers import Cell, recurrent_attributes, stacked_weights

LARGEST = 127


def add_int8_lstm(graph: Graph, x: str, lengths: str, cells: list[Cell]) -> str:
    """Add an LSTM layer in 8 bits; see `asr.checkpoint.onnx.layers.AddRecurrent`."""
    w, r, bias = stacked_weights(cells)
    matrices, scales = [], []
    for matrix in (w, r):
        multiples, scale = quantise(matrix)
        matrices.append(graph.constant(multiples.transpose(0, 2, 1)))
        scales += [graph.constant(scale), graph.constant(np.zeros_like(scale, np.int8))]
    no_states_no_peepholes = ("", "", "")
    return graph.node(
        "DynamicQuantizeLSTM",
        x,
        *matrices,
        graph.weight(bias),
        lengths,
        *no_states_no_peepholes,
        *scales,
        domain=CONTRIBUTED,
        **recurrent_attributes(cells),
    )


def quantise(matrices: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Round each row, the last dimension, to multiples of a scale of its own.

    Returns:
        The multiples, -127..127, and the scales, without the last dimension.
    """
    largest = np.abs(matrices).max(axis=-1)
    scale = np.where(largest > 0.0, largest, 1.0).astype(np.float32) / np.float32(LARGEST)
    return np.rint(matrices / scale[..., None]).astype(np.int8), scale
