"""Write a model's graph, model.onnx, which recognises without torch.

It goes from waveform to log-probabilities, front-end and CMVN included, and ONNX Runtime runs it.
From then on, all verbs recognise with it. `asr pack` writes it without being asked.

  int8       fastest and smallest; products are in 8 bits, quantised for each utterance
  float16    stored in 16 bits, computed in 32
  float32    what the network computes in training

A network without LSTM layers gets float16 in place of int8. So does, with --dev, one whose greedy
WER on that manifest int8 raises by more than 0.1 points.

Example:
  asr export exp/model --dev dev.jsonl
Next:
  asr transcribe --model exp/model speech.wav
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, get_args

from asr.checkpoint.decoding import SearchPlan
from asr.checkpoint.directory import ONNX_FILE
from asr.checkpoint.names import model_folder
from asr.cli.recognising import recognise
from asr.cli.searching import add_model_argument
from asr.corpus.manifest import read_manifest_with_texts
from asr.corpus.utterance import Utterance
from asr.provenance import n_cores
from asr.recognizer import Recognizer
from asr.runtime.description import Weights
from asr.runtime.engine import Engine
from asr.runtime.onnx_engine import OnnxEngine
from asr.wer.score import score

if TYPE_CHECKING:
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
        choices=get_args(Weights),
        default="int8",
        help="weights of model.onnx (default: int8)",
    )


def run(options: argparse.Namespace) -> int:
    from asr.checkpoint.network import add_graph, load_checkpoint

    weights: Weights = options.weights
    dev_set = read_manifest_with_texts(options.dev) if options.dev else None
    folder = model_folder(options.model)
    checkpoint = load_checkpoint(folder)
    if dev_set is not None and weights == "int8" and not _is_fit_for_int8(checkpoint, dev_set):
        weights = "float16"
    add_graph(folder, checkpoint, weights)
    graph = OnnxEngine(folder / ONNX_FILE, n_threads=1)
    size = (folder / ONNX_FILE).stat().st_size / 1e6
    print(f"{folder / ONNX_FILE}: {size:.1f} MB, weights in {graph.description.weights}")
    return 0


def _is_fit_for_int8(checkpoint: "Checkpoint", utterances: Sequence[Utterance]) -> bool:
    """Compare the greedy WERs of a network and its graph in int8, if it has one, and print them."""
    from asr.checkpoint.export import export_onnx

    with TemporaryDirectory() as folder:
        path = Path(folder) / ONNX_FILE
        export_onnx(checkpoint.front_end, checkpoint.model, path, weights="int8")
        graph = OnnxEngine(path, n_threads=n_cores())
        if graph.description.weights != "int8":
            return False
        wers = [
            _greedy_wer(checkpoint, engine, utterances) for engine in (checkpoint.engine, graph)
        ]
    print(f"greedy WER: {100 * wers[0]:.2f} % by the network, {100 * wers[1]:.2f} % in int8")
    return wers[1] - wers[0] <= MAX_WER_CHANGE


def _greedy_wer(checkpoint: "Checkpoint", engine: Engine, utterances: Sequence[Utterance]) -> float:
    transcripts = recognise(Recognizer(checkpoint.directory, engine, SearchPlan()), utterances)
    texts = {name: transcript.text for name, transcript in transcripts.items()}
    return score(utterances, texts, checkpoint.config.text.normaliser).total.wer
