"""The acoustic model as nodes of an ONNX graph: subsampling, recurrent layers, heads."""

from dataclasses import replace

from torch import nn

from asr.checkpoint.onnx.front_end import Frames
from asr.checkpoint.onnx.graph import Graph
from asr.checkpoint.onnx.layers import AddRecurrent, add_linear, array
from asr.model.acoustic import AcousticModel
from asr.model.recurrent import RecurrentLayer
from asr.model.subsampling import ConvSubsampling, FrameStacking


def add_encoder(
    graph: Graph, model: AcousticModel, features: Frames, add_recurrent: AddRecurrent
) -> Frames:
    """Add subsampling and recurrent layers: (B, T, F) to (T', B, D), what heads read."""
    subsampling = model.subsampling
    if isinstance(subsampling, ConvSubsampling):
        frames = _convolve(graph, subsampling, features)
    else:
        frames = _stack(graph, subsampling, features)
    # A recurrent operator must read a frame; its output is ignored where there is none.
    to_read = graph.cast(graph.node("Max", frames.lengths, 1), "int32")
    values = frames.values
    for layer in model.encoder.layers:
        assert isinstance(layer, RecurrentLayer)
        cells = [layer.ahead] if layer.back is None else [layer.ahead, layer.back]
        states = add_recurrent(graph, values, to_read, cells)  # (T, directions, B, D)
        states = graph.node("ReduceSum", states, graph.integers(1), keepdims=0)
        values = _layer_norm(graph, layer.norm, graph.node("Add", values, states))
    return replace(frames, values=values)


def add_head(graph: Graph, head: nn.Linear, encoded: str) -> str:
    """Add one head: (T, B, D) to log-probabilities, (B, T, V)."""
    logits = add_linear(graph, encoded, head)
    log_probs = graph.node("LogSoftmax", logits, axis=2)
    return graph.node("Transpose", log_probs, perm=(1, 0, 2))


def _convolve(graph: Graph, subsampling: ConvSubsampling, features: Frames) -> Frames:
    """Convolve (B, T, F), whose padding is zero, to (T', B, D)."""
    x, lengths, valid = graph.unsqueeze(features.values, 1), features.lengths, features.valid
    for convolution, stride in zip(subsampling.convolutions, subsampling.strides, strict=True):
        assert isinstance(convolution, nn.Conv2d)
        kernel, bias = graph.weight(array(convolution.weight)), convolution.bias
        assert bias is not None
        x = graph.node(
            "Conv", x, kernel, graph.weight(array(bias)), strides=(stride, 2), pads=(1, 1, 1, 1)
        )
        lengths = _subsampled(graph, lengths, stride)
        valid = graph.valid(lengths, graph.size(x, 2))
        x = graph.zero_unless(graph.unsqueeze(valid, 1, 3), graph.node("Relu", x))  # (B, C, T', F')
    n_inputs = subsampling.projection.in_features
    x = graph.node("Transpose", x, perm=(2, 0, 1, 3))
    x = graph.node("Reshape", x, graph.integers(0, 0, n_inputs))  # (T', B, C * F')
    projected = add_linear(graph, x, subsampling.projection)
    return Frames(_layer_norm(graph, subsampling.norm, projected), lengths, valid)


def _stack(graph: Graph, subsampling: FrameStacking, features: Frames) -> Frames:
    """Put frames of (B, T, F), whose padding is zero, together: (T', B, D)."""
    factor = subsampling.factor
    n_frames = _subsampled(graph, graph.size(features.values, 1), factor)
    needed = graph.node("Mul", n_frames, factor)
    n_missing = graph.node("Sub", needed, graph.size(features.values, 1))
    before, after = graph.integers(0, 0, 0, 0), graph.unsqueeze(n_missing, 0)
    widths = graph.node("Concat", before, after, graph.integers(0), axis=0)
    x = graph.node("Pad", features.values, widths)
    x = graph.node("Reshape", x, graph.integers(0, -1, subsampling.projection.in_features))
    x = graph.node("Transpose", x, perm=(1, 0, 2))
    projected = add_linear(graph, x, subsampling.projection)
    lengths = _subsampled(graph, features.lengths, factor)
    normalised = _layer_norm(graph, subsampling.norm, projected)
    return Frames(normalised, lengths, graph.valid(lengths, n_frames))


def _layer_norm(graph: Graph, norm: nn.LayerNorm, x: str) -> str:
    scale, bias = graph.weight(array(norm.weight)), graph.weight(array(norm.bias))
    return graph.node("LayerNormalization", x, scale, bias, axis=-1, epsilon=norm.eps)


def _subsampled(graph: Graph, lengths: str, stride: int) -> str:
    """Divide lengths by a stride, rounding up, as `asr.lengths.subsampled_lengths`."""
    rounded = graph.node("Add", lengths, stride - 1)
    return graph.node("Div", rounded, stride)
