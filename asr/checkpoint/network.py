"""Checkpoint: a model directory with its network, which training makes and starts from."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from asr.audio.decoder import Waveform
from asr.checkpoint.directory import (
    CARD_FILE,
    ONNX_FILE,
    WEIGHTS_FILE,
    ModelDirectory,
    check_replaceable,
    read_directory,
    write_directory,
)
from asr.checkpoint.export import export_onnx
from asr.checkpoint.golden import read_example, write_golden
from asr.checkpoint.seal import changing, check_seal, seal
from asr.checkpoint.torch_engine import TorchEngine
from asr.config import Config, refuse_other_shape
from asr.errors import ConfigError, ModelError
from asr.features.front_end import FrontEnd
from asr.files import replacing_folder
from asr.model.acoustic import AcousticModel
from asr.runtime.description import Weights
from asr.runtime.onnx_engine import OnnxEngine
from asr.text.tokenizer import Tokenizer


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model directory and its network.

    Attributes:
        directory: Configuration, tokens and all else that goes with the weights.
        front_end: With its CMVN statistics.
        model: The network.
    """

    directory: ModelDirectory
    front_end: FrontEnd
    model: AcousticModel

    @property
    def config(self) -> Config:
        """What the model was trained with."""
        return self.directory.config

    @property
    def engine(self) -> TorchEngine:
        """The network as a recogniser runs it."""
        return TorchEngine(self.front_end, self.model)


def build(config: Config, tokenizers: Mapping[str, Tokenizer]) -> Checkpoint:
    """Make a model with random weights, as training starts from."""
    front_end = FrontEnd(config.features)
    model = AcousticModel(
        config.model,
        n_features=front_end.n_features,
        heads={head: len(tokenizer) for head, tokenizer in tokenizers.items()},
    )
    return Checkpoint(ModelDirectory(config, tokenizers), front_end, model)


def untrained(trained: Checkpoint) -> Checkpoint:
    """Rebuild a model as it was before its training, except for its CMVN."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(trained.config.batching.seed)
        return build(trained.config, trained.directory.tokenizers)


def start_from(trained: Checkpoint, config: Config) -> Checkpoint:
    """Make a model to train by `config`, with the weights of another one.

    Layers that the other has not, on top of its own, begin with random weights.

    Args:
        trained: Also gives tokens and CMVN, and the speech that it was trained on.
        config: Of the training to come; it may leave out heads of the trained model.

    Raises:
        ConfigError: The configuration asks for another shape, or for heads that are not there.
    """
    refuse_other_shape(trained.config, config)
    tokenizers = trained.directory.tokenizers
    missing = [head for head in config.heads if head not in tokenizers]
    if missing:
        raise ConfigError(
            f"the model to start with has no head {missing[0]!r}, only {', '.join(tokenizers)}"
        )
    made = build(config, {head: tokenizers[head] for head in config.heads})
    own, weights = made.model.state_dict(), trained.model.state_dict()
    made.model.load_state_dict({name: weights.get(name, own[name]) for name in own})
    made.front_end.load_state_dict(trained.front_end.state_dict())
    directory = replace(made.directory, trained_on=trained.directory.trained_on)
    return replace(made, directory=directory)


def save_checkpoint(
    folder: Path,
    checkpoint: Checkpoint,
    *,
    card: str,
    example: Waveform,
    is_half: bool = False,
    onnx: Weights | None = None,
) -> None:
    """Write a model directory, complete or not at all.

    Args:
        folder: Replaced as a whole if it is a model directory already.
        checkpoint: What to write.
        card: The model card, Markdown.
        example: (N,) float32 waveform of the golden example, at the model's sample rate.
        is_half: Store weights in float16, in half the space; they are loaded as float32.
        onnx: Also write the graph for recognising without torch, with weights of this kind.

    Raises:
        ModelError: `folder` holds something that is no model.
    """
    check_replaceable(folder)
    tensors = {
        prefix + name: (tensor.half() if is_half and prefix == "model." else tensor).contiguous()
        for prefix, module in _modules(checkpoint).items()
        for name, tensor in module.state_dict().items()
    }
    with replacing_folder(folder) as made:
        write_directory(made, checkpoint.directory, card)
        (made / WEIGHTS_FILE).write_bytes(safetensors.torch.save(tensors))
        stored = load_checkpoint(made)
        if onnx is None:
            write_golden(made, stored.directory, stored.engine, example)
        else:
            _write_graph(made, stored, onnx, example)
        seal(made)


def add_graph(folder: Path, checkpoint: Checkpoint, weights: Weights) -> None:
    """Write the graph of a model into its directory, and its golden example anew.

    Args:
        folder: The model directory.
        checkpoint: Read from it.
        weights: How the graph stores weights.
    """
    example = read_example(folder)
    with changing(folder):
        _write_graph(folder, checkpoint, weights, example)


def load_checkpoint(folder: Path) -> Checkpoint:
    """Read a model directory with its network.

    Returns:
        The model in evaluation mode, in float32.

    Raises:
        ModelError: The folder or a file is missing, or they do not belong together.
    """
    directory = read_directory(folder)
    if not (folder / WEIGHTS_FILE).is_file():
        raise ModelError(f"{folder}: has no {WEIGHTS_FILE}, which training needs")
    check_seal(folder, without=(CARD_FILE,))
    checkpoint = replace(build(directory.config, directory.tokenizers), directory=directory)
    try:
        load_weights(checkpoint, safetensors.torch.load_file(folder / WEIGHTS_FILE))
    except (SafetensorError, RuntimeError) as error:
        raise ModelError(f"{folder}: its weights do not fit its configuration: {error}") from error
    return checkpoint


def load_weights(checkpoint: Checkpoint, tensors: Mapping[str, Tensor]) -> None:
    """Give a checkpoint the weights of `tensors`, as float32, and put it in evaluation mode.

    Raises:
        RuntimeError: Names or shapes are not the checkpoint's.
    """
    for prefix, module in _modules(checkpoint).items():
        own = {
            name.removeprefix(prefix): tensor.to(torch.float32)
            for name, tensor in tensors.items()
            if name.startswith(prefix)
        }
        module.load_state_dict(own)
        module.eval().requires_grad_(False)


def _write_graph(folder: Path, checkpoint: Checkpoint, weights: Weights, example: Waveform) -> None:
    """Write the graph, and the golden example as the graph computes it."""
    path = folder / ONNX_FILE
    export_onnx(checkpoint.front_end, checkpoint.model, path, weights=weights)
    write_golden(folder, checkpoint.directory, OnnxEngine(path, n_threads=1), example)


def _modules(checkpoint: Checkpoint) -> dict[str, nn.Module]:
    return {"front_end.": checkpoint.front_end, "model.": checkpoint.model}
