"""Export front-end and acoustic model as one ONNX graph, which recognises without torch.

    waveforms (B, N), lengths (B,) → frame_lengths (B,), and log_probs (B, T, V) of each head

The graph is built node by node: a traced one would be unreadable, and differ between releases of
torch. In float32 and float16 an utterance alone equals itself in a padded batch; in int8 it does
not, see `asr.checkpoint.onnx.int8`.
"""

import logging
from pathlib import Path

from torch import nn

from asr.checkpoint.onnx.front_end import add_front_end
from asr.checkpoint.onnx.graph import Graph
from asr.checkpoint.onnx.int8 import add_int8_lstm
from asr.checkpoint.onnx.layers import add_recurrent
from asr.checkpoint.onnx.network import add_encoder, add_head
from asr.features.front_end import FrontEnd
from asr.files import write_bytes
from asr.model.acoustic import AcousticModel
from asr.runtime.description import Description, Head, Weights

_LOG = logging.getLogger(__name__)


def export_onnx(front_end: FrontEnd, model: AcousticModel, path: Path, *, weights: Weights) -> None:
    """Write the model that `asr.runtime.onnx_engine.OnnxEngine` runs.

    Args:
        front_end: With its statistics, where CMVN is global.
        model: The trained network.
        path: Of the file to write; the same model gives the same bytes.
        weights: What the network's weights are stored in. "float32" computes what torch does.
            "float16" rounds them and computes in float32: half the space, the same speed. "int8"
            computes LSTM layers in 8 bits and is "float16" for the rest: a quarter of the space,
            twice the speed. A network of other cells is "float16" then, too.
    """
    if weights == "int8" and model.config.cell != "lstm":
        _LOG.info("ONNX Runtime has no 8-bit %s: all weights are in float16", model.config.cell)
        weights = "float16"
    write_bytes(path, _onnx_model(front_end, model, weights))


def _onnx_model(front_end: FrontEnd, model: AcousticModel, weights: Weights) -> bytes:
    graph = Graph(is_half=weights != "float32")
    waveforms = graph.input("waveforms", "float32", "B", "N")
    lengths = graph.input("lengths", "int64", "B")
    features = add_front_end(graph, front_end, waveforms, lengths)
    add_layer = add_int8_lstm if weights == "int8" else add_recurrent
    encoded = add_encoder(graph, model, features, add_layer)
    graph.output("frame_lengths", encoded.lengths, "int64", "B")
    for name, head in _heads(model).items():
        log_probs = add_head(graph, head, encoded.values)
        graph.output(name, log_probs, "float32", "B", "T", head.out_features)
    n_samples = front_end.log_mel.samples_per_shift
    shift = n_samples / front_end.config.sample_rate * model.config.subsampling_factor
    heads = tuple(Head(name, head.out_features, shift) for name, head in _heads(model).items())
    return graph.model(Description(front_end.config.sample_rate, weights, heads).to_metadata())


def _heads(model: AcousticModel) -> dict[str, nn.Linear]:
    """Return the network's heads by name."""
    return {name: head for name, head in model.heads.items() if isinstance(head, nn.Linear)}
