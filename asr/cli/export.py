"""`asr export`: a trained network becomes the graph that recognises without torch."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from asr.cli.searching import add_model_argument

if TYPE_CHECKING:
    from asr.checkpoint.export import Weights
    from asr.checkpoint.network import Checkpoint

HELP = "make a model's graph for recognising without torch"
DESCRIPTION = """\
Write model.onnx into a model directory: one graph from waveform to log-probabilities, front-end and
CMVN included, which ONNX Runtime runs without torch. `asr pack` does this by itself.

  int8       fastest and smallest; products are in 8 bits, quantised for each utterance
  float16    stored in 16 bits, computed in 32
  float32    what the network computes in training

With --dev, int8 is kept only if the greedy WER on that manifest stays within 0.1 points of the
network's own; otherwise the graph is written as float16.

example:
  asr export exp/model --dev dev.jsonl
"""
MAX_WER_CHANGE = 0.001  # a fraction


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `asr export` takes."""
    add_model_argument(parser)
    parser.add_argument(
        "--weights",
        choices=("int8", "float16", "float32"),
        default="int8",
        help="how weights are stored (default: int8)",
    )
    parser.add_argument(
        "--dev", type=Path, metavar="MANIFEST", help="utterances that int8 must not cost errors on"
    )


def run(options: argparse.Namespace) -> int:
    """Write the graph, and say how large it is."""
    from asr.checkpoint.directory import ONNX_FILE
    from asr.checkpoint.names import model_folder
    from asr.checkpoint.network import add_graph, load_checkpoint

    folder = model_folder(options.model)
    checkpoint = load_checkpoint(folder)
    weights: Weights = options.weights
    add_graph(folder, checkpoint, weights)
    if options.dev and weights == "int8" and _costs_errors(checkpoint, folder, options.dev):
        weights = "float16"
        add_graph(folder, checkpoint, weights)
    size = (folder / ONNX_FILE).stat().st_size / 1e6
    print(f"{folder / ONNX_FILE}: {size:.1f} MB, weights in {weights}")
    return 0


def _costs_errors(checkpoint: "Checkpoint", folder: Path, manifest: Path) -> bool:
    """Compare the greedy WER of network and graph; say what it is."""
    from asr.checkpoint.decoding import SearchPlan
    from asr.checkpoint.engine import load_engine
    from asr.cli.recognising import recognise
    from asr.corpus.manifest import read_manifest
    from asr.provenance import n_cores
    from asr.recognizer import Recognizer
    from asr.wer.score import score

    utterances = read_manifest(manifest)
    wers = []
    for engine in (checkpoint.engine, load_engine(folder, n_threads=n_cores())):
        recognizer = Recognizer(checkpoint.directory, engine, SearchPlan())
        texts = {name: own.text for name, own in recognise(recognizer, utterances).items()}
        wers.append(score(utterances, texts, checkpoint.config.text.normaliser).total.wer)
    print(f"greedy WER: {100 * wers[0]:.2f} % by the network, {100 * wers[1]:.2f} % in int8")
    return wers[1] - wers[0] > MAX_WER_CHANGE
