"""A small builder of ONNX graphs: nodes and weights are added in order, values go by name.

Integer arithmetic is on int64 tensors: a scalar is a size or a count, a vector is a shape, lengths
(B,) or indices.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

OPSET = 17  # the first with LayerNormalization; every ONNX Runtime since 1.13 reads it
IR_VERSION = 8  # the format of that time
CONTRIBUTED = "com.microsoft"  # operators that ONNX Runtime adds to the standard


class Graph:
    """Collects the nodes and constants of one graph.

    Args:
        is_half: Store weights in float16. They are cast to float32 when the model is loaded, and
            everything is computed in float32.
    """

    def __init__(self, *, is_half: bool = False) -> None:
        self._is_half = is_half
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []

    def input(self, name: str, dtype: str, *shape: str | int) -> str:
        """Declare an input; dimensions that vary are named by a letter."""
        self._inputs.append(helper.make_tensor_value_info(name, _onnx_type(dtype), shape))
        return name

    def output(self, name: str, value: str, dtype: str, *shape: str | int) -> None:
        """Declare an output."""
        self._nodes.append(helper.make_node("Identity", [value], [name], name=name))
        self._outputs.append(helper.make_tensor_value_info(name, _onnx_type(dtype), shape))

    def node(
        self,
        kind: str,
        *inputs: str | float,
        domain: str = "",
        **attributes: Any,  # noqa: ANN401 (as ONNX has it)
    ) -> str:
        """Add an operator and return its first output.

        A number becomes a scalar constant, int64 or float32. An input named "" is left out.
        """
        name = f"{kind}_{len(self._nodes)}"
        names = [each if isinstance(each, str) else self._scalar(each) for each in inputs]
        node = helper.make_node(kind, names, [name], name=name, domain=domain, **attributes)
        self._nodes.append(node)
        return name

    def constant(self, array: NDArray[Any]) -> str:
        """Add an array in its own type."""
        name = f"constant_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.asarray(array, order="C"), name))
        return name

    def weight(self, array: NDArray[np.float32]) -> str:
        """Add trained weights, float32 in the graph whatever they are stored in."""
        if not self._is_half:
            return self.constant(array)
        stored = self.constant(array.astype(np.float16))
        return self.node("Cast", stored, to=TensorProto.FLOAT)

    def integers(self, *numbers: int) -> str:
        """Add an int64 vector: axes, or a shape."""
        return self.constant(np.array(numbers, np.int64))

    def cast(self, value: str, dtype: str) -> str:
        """Convert to a NumPy type."""
        return self.node("Cast", value, to=_onnx_type(dtype))

    def size(self, value: str, axis: int) -> str:
        """Return one dimension as an int64 scalar."""
        return self.node("Gather", self.node("Shape", value), axis, axis=0)

    def positions(self, n: str) -> str:
        """Return 0, 1, ... n - 1, (n,) int64, from a scalar."""
        return self.node("Range", 0, n, 1)

    def slice(self, value: str, start: int, stop: int, axis: int) -> str:
        """Return value[start:stop] along an axis."""
        bounds = self.integers(start), self.integers(stop)
        return self.node("Slice", value, *bounds, self.integers(axis), self.integers(1))

    def reversed(self, value: str, n: int, axis: int) -> str:
        """Return the last n positions along an axis, the last one first."""
        bounds = self.integers(-1), self.integers(-n - 1)
        return self.node("Slice", value, *bounds, self.integers(axis), self.integers(-1))

    def unsqueeze(self, value: str, *axes: int) -> str:
        """Insert dimensions of size 1."""
        return self.node("Unsqueeze", value, self.integers(*axes))

    def valid(self, lengths: str, n_positions: str) -> str:
        """Mark what is no padding: (B,) lengths and a scalar to (B, n_positions) bool."""
        return self.node("Less", self.positions(n_positions), self.unsqueeze(lengths, 1))

    def zero_unless(self, mask: str, value: str) -> str:
        """Set to zero, NaN included, what a broadcast mask does not mark."""
        return self.node("Where", mask, value, 0.0)

    def model(self, metadata: Mapping[str, str]) -> bytes:
        """Return the file's content: the same bytes for the same graph and metadata."""
        graph = helper.make_graph(
            self._nodes, "asr", self._inputs, self._outputs, initializer=self._constants
        )
        domains = sorted({node.domain for node in self._nodes} | {""})
        versions = {"": OPSET, CONTRIBUTED: 1}
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid(domain, versions[domain]) for domain in domains],
            ir_version=IR_VERSION,
            producer_name="asr",
        )
        helper.set_model_props(model, dict(metadata))
        onnx.checker.check_model(model, full_check=True)
        content: bytes = model.SerializeToString(deterministic=True)
        return content

    def _scalar(self, number: float) -> str:
        return self.constant(np.array(number, np.int64 if isinstance(number, int) else np.float32))


def _onnx_type(dtype: str) -> int:
    return int(helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))
