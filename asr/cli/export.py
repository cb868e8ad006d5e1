"""Write a model's graph, model.onnx, which recognises without torch.

It goes from waveform to log-probabilities, front-end and CMVN included, and ONNX Runtime runs it.
From then on, all verbs recognise with it. `asr pack` writes it without being asked.

  int8       fastest and smallest; products are in 8 bits, quantised for each utterance
  float16    stored in 16 bits, computed in 32
  float32    what the network computes in training

With --dev, int8 is kept only if the greedy WER on that manifest stays within 0.1 points of the
network's own; otherwise the graph is written as float16.

Example:
  asr export exp/model --dev dev.jsonl
Next:
  asr transcribe --model exp/model speech.wav
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from asr.checkpoint.decoding import SearchPlan
from asr.checkpoint.directory import ONNX_FILE
from asr.checkpoint.engine import load_engine
from asr.checkpoint.names import model_folder
from asr.cli.recognising import recognise
from asr.cli.searching import add_model_argument
from asr.corpus.manifest import read_manifest
from asr.provenance import n_cores
from asr.recognizer import Recognizer
from asr.wer.score import score

if TYPE_CHECKING:
    from asr.checkpoint.export import Weights
    from asr.checkpoint.network import Checkpoint

MAX_WER_CHANGE = 0.001  # a fraction


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_model_argument(parser)
    add_weights_argument(parser)
    parser.add_argument(
        "--dev", type=Path, metavar="MANIFEST", help="utterances that int8 must not cost errors on"
    )


def add_weights_argument(parser: argparse.ArgumentParser) -> None:
    """Declare how a graph stores its weights."""
    parser.add_argument(
        "--weights",
        choices=("int8", "float16", "float32"),
        default="int8",
        help="weights of model.onnx (default: int8)",
    )


def run(options: argparse.Namespace) -> int:
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
    """Compare the greedy WERs of network and graph, and print them."""
    utterances = read_manifest(manifest)
    wers = []
    for engine in (checkpoint.engine, load_engine(folder, n_threads=n_cores())):
        recognizer = Recognizer(checkpoint.directory, engine, SearchPlan())
        transcripts = recognise(recognizer, utterances)
        texts = {name: transcript.text for name, transcript in transcripts.items()}
        wers.append(score(utterances, texts, checkpoint.config.text.normaliser).total.wer)
    print(f"greedy WER: {100 * wers[0]:.2f} % by the network, {100 * wers[1]:.2f} % in int8")
    return wers[1] - wers[0] > MAX_WER_CHANGE
