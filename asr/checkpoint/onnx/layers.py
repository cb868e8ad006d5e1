"""Linear and recurrent layers as nodes of an ONNX graph, in floating point."""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from asr.checkpoint.onnx.graph import Graph

Cell: TypeAlias = nn.LSTM | nn.GRU | nn.RNN

# Adds a layer that reads (T, B, D) ahead with its first cell and, if it has a second one, back with
# that: graph, name of the frames, name of their lengths, (B,) int32 and at least 1, and the cells.
# Returns the name of the states, (T, directions, B, D). Padding is never read.
AddRecurrent: TypeAlias = Callable[[Graph, str, str, list[Cell]], str]

GATES = {"LSTM": (0, 3, 1, 2), "GRU": (1, 0, 2), "RNN": (0,)}  # ONNX's order, by torch's places
PARAMETERS = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")


def add_linear(graph: Graph, x: str, layer: nn.Linear) -> str:
    """Map (..., D) to (..., D')."""
    product = graph.node("MatMul", x, graph.weight(array(layer.weight).T))
    return graph.node("Add", product, graph.weight(array(layer.bias)))


def add_recurrent(graph: Graph, x: str, lengths: str, cells: list[Cell]) -> str:
    """Add a recurrent layer of any kind; see `AddRecurrent`."""
    weights = [graph.weight(stacked) for stacked in stacked_weights(cells)]
    kind, attributes = type(cells[0]).__name__, recurrent_attributes(cells)
    if kind == "GRU":
        attributes["linear_before_reset"] = 1  # torch's GRU
    return graph.node(kind, x, *weights, lengths, **attributes)


def stacked_weights(
    cells: list[Cell],
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Return ONNX's W and R, (directions, gates * D, D), and B, (directions, 2 * gates * D)."""
    by_cell = [
        [_in_order(array(getattr(cell, name)), cell) for name in PARAMETERS] for cell in cells
    ]
    w, r, w_bias, r_bias = (np.stack(each) for each in zip(*by_cell, strict=True))
    return w, r, np.concatenate([w_bias, r_bias], axis=1)


def recurrent_attributes(cells: list[Cell]) -> dict[str, Any]:
    """Return the attributes that all recurrent operators have."""
    direction = "bidirectional" if len(cells) == 2 else "forward"
    return {"hidden_size": cells[0].hidden_size, "direction": direction}


def array(tensor: Tensor) -> NDArray[np.float32]:
    """Return a tensor as a float32 array."""
    values: NDArray[np.float32] = tensor.detach().float().cpu().numpy()
    return values


def _in_order(rows: NDArray[np.float32], cell: Cell) -> NDArray[np.float32]:
    """Bring the gates, blocks of rows, into ONNX's order."""
    order = GATES[type(cell).__name__]
    gates = np.split(rows, len(order))
    return np.concatenate([gates[i] for i in order])
