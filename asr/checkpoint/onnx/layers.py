"""Linear and recurrent layers as nodes of an ONNX graph, in floating point or in 8 bits."""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from asr.checkpoint.onnx.graph import Graph

Recurrent = nn.LSTM | nn.GRU | nn.RNN

# ONNX's order of the gates, by their places in torch's.
GATES = {"LSTM": (0, 3, 1, 2), "GRU": (1, 0, 2), "RNN": (0,)}


class Layers(Protocol):
    """How the layers of a network are computed."""

    def linear(self, graph: Graph, x: str, layer: nn.Linear) -> str:
        """Map (..., D) to (..., D')."""

    def recurrent(self, graph: Graph, x: str, lengths: str, directions: list[Recurrent]) -> str:
        """Read (T, B, D) ahead and, by a second direction, back: (T, directions, B, D).

        `lengths` (B,) int32 are at least 1. Padding is never read.
        """


class FloatLayers:
    """Layers that compute in float32."""

    def linear(self, graph: Graph, x: str, layer: nn.Linear) -> str:
        """Map (..., D) to (..., D')."""
        product = graph.node("MatMul", x, graph.weight(array(layer.weight).T))
        return graph.node("Add", product, graph.weight(array(layer.bias)))

    def recurrent(self, graph: Graph, x: str, lengths: str, directions: list[Recurrent]) -> str:
        """Read (T, B, D) in one or two directions: (T, directions, B, D)."""
        weights = (graph.weight(stacked) for stacked in stacked_weights(directions))
        kind = type(directions[0]).__name__
        attributes = shape(directions)
        if kind == "GRU":
            attributes["linear_before_reset"] = 1  # torch's GRU
        return graph.node(kind, x, *weights, lengths, **attributes)


def stacked_weights(
    directions: list[Recurrent],
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Return ONNX's W and R, (directions, gates * D, D), and B, (directions, 2 * gates * D)."""
    per_direction = [
        [in_order(array(getattr(cell, name)), type(cell).__name__) for name in _PARAMETERS]
        for cell in directions
    ]
    w, r, w_bias, r_bias = (np.stack(each) for each in zip(*per_direction, strict=True))
    return w, r, np.concatenate([w_bias, r_bias], axis=1)


_PARAMETERS = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")


def in_order(rows: NDArray[np.float32], kind: str) -> NDArray[np.float32]:
    """Bring the gates, blocks of rows, into ONNX's order."""
    gates = np.split(rows, len(GATES[kind]))
    return np.concatenate([gates[i] for i in GATES[kind]])


def shape(directions: list[Recurrent]) -> dict[str, Any]:
    """Return the attributes that all recurrent operators have."""
    direction = "bidirectional" if len(directions) == 2 else "forward"
    return {"hidden_size": directions[0].hidden_size, "direction": direction}


def array(tensor: Tensor) -> NDArray[np.float32]:
    """Return a tensor as a float32 array."""
    values: NDArray[np.float32] = tensor.detach().float().cpu().numpy()
    return values
