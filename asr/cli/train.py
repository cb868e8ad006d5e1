"""Train a model on one manifest, choosing the best epoch by greedy WER on another, if there is one.

Of epochs with equal WERs, the one with the lowest loss is kept.

The configuration decides everything about the model and its training (see conf/): features,
network, heads, loss terms, augmentation. --set changes a value for one run, such as
--set train.n_epochs=3. A head of phones needs --lexicon (see asr lexicon). The folder OUTPUT.run
keeps the state of the run, its metrics and TensorBoard curves.

Killed at any moment, a run resumes when you repeat its command; Ctrl-C or SIGTERM lets it save its
state first. The model directory appears when training is finished. `asr export` and `asr pack` make
its graph for recognising without torch.

Started by torchrun, the processes train one model together, here or on many machines that share
the folders: the same model, to rounding, as one process with the same configuration.

--start MODEL begins with the weights of a model and keeps its tokens, to train it further on your
own recordings or on the same. Try a third of its learning rate first. It may have fewer layers than
the configuration: those on top are then new.

Recordings that cannot be read are named and left out, as long as they are few (--max-damaged); in
the dev set, their words count as deleted. A run resumes with a manifest from which some utterances
were removed, but with no other change. Letters, digits and symbols that the normaliser takes out of
the texts are named, and refused if they are many (--max-lost).

Features are computed once and kept in memory, as many as --feature-cache has room for; the rest are
computed again in each epoch. The model is the same.

Examples:
  asr train conf/tiny.toml --train tiny.jsonl --dev tiny.jsonl --output model
  asr train conf/mini_librispeech.toml --train train.jsonl --dev dev.jsonl --lexicon lexicon.txt ...
  asr train mine/config.toml --start mine --set optimiser.learning_rate=0.0005 --output better ...
  torchrun --nproc-per-node 8 -m asr train conf/librispeech.toml --train train.jsonl ...
Next:
  asr decode model dev.jsonl --output dev.greedy.jsonl
"""

import argparse
import os
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from asr.cli.messages import tell
from asr.cli.numbers import add_number, add_percentage, part
from asr.cli.omitting import add_omission_limit, check_omissions
from asr.cli.stopping import StopSignals
from asr.cli.training import add_run_arguments, quarter_of_memory, read_run_config, share_threads
from asr.cli.watch import RunWatcher
from asr.config import Config
from asr.corpus.manifest import read_manifest
from asr.corpus.utterance import Utterance
from asr.errors import counted, shortened
from asr.lexicon.read import read_lexicon
from asr.provenance import provenance
from asr.text.normalise import normaliser
from asr.train.progress import Unwatched

if TYPE_CHECKING:
    from asr.train.ranks import Ranks
    from asr.train.state import RunState


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("config", type=Path, metavar="CONFIG", help="a file of conf/, or yours")
    parser.add_argument(
        "--train", type=Path, required=True, metavar="MANIFEST", help="utterances to learn from"
    )
    parser.add_argument(
        "--dev",
        type=Path,
        metavar="MANIFEST",
        help="utterances to choose the epoch by (default: keep the last epoch)",
    )
    parser.add_argument(
        "--lexicon",
        type=Path,
        metavar="FILE",
        help="pronunciations of the words of the texts, for a head of phones",
    )
    parser.add_argument(
        "--start",
        metavar="MODEL",
        help="begin with the weights of a model, a folder or a shipped one's name, with the "
        "same [features], [text] and [model]; more layers begin with random weights (default: all "
        "weights are random)",
    )
    add_run_arguments(parser)
    add_number(
        parser, "--threads", "CPU threads (default: as many as cores; with a GPU, one per loader)"
    )
    parser.add_argument(
        "--device",
        metavar="NAME",
        help="cpu, cuda or cuda:N (default: a GPU where there is one; of several, each process "
        "that torchrun starts takes its own)",
    )
    add_percentage(
        parser,
        "--max-damaged",
        "end the run if more of the recordings cannot be read",
        default=1,
    )
    add_omission_limit(parser)
    add_number(
        parser,
        "--feature-cache",
        "memory for features (default: a quarter of the computer's, shared by its processes)",
        minimum=0,
        metavar="MB",
    )


def run(options: argparse.Namespace) -> int:
    """Train, show progress, and put the best model in place."""
    from asr.checkpoint.names import model_folder
    from asr.checkpoint.network import load_checkpoint
    from asr.experiment import Material, Resources, train_model
    from asr.train.ranks import join_ranks
    from asr.train.run import run_folder

    config = read_run_config(options, Config, options.config)
    train = read_manifest(options.train)
    dev = read_manifest(options.dev) if options.dev else None
    n_damaged = int(part(options.max_damaged, len(train) + len(dev or ())))
    normalise = normaliser(config.text.normaliser)
    lexicon = read_lexicon(options.lexicon, normalise) if options.lexicon else None
    start = load_checkpoint(model_folder(options.start)) if options.start else None
    folder = run_folder(options.output)
    with (
        join_ranks(options.device) as ranks,
        StopSignals(is_quiet=not ranks.is_first) as signals,
    ):
        if ranks.is_first:
            for manifest, utterances in ((options.train, train), (options.dev, dev or [])):
                _check_texts(manifest, utterances, config, options.max_lost)
        share_threads(options.threads, config.train.n_shards, ranks.device.type)
        n_dev_words = sum(len((utterance.text or "").split()) for utterance in dev or ())
        watching = RunWatcher(folder, n_dev_words=n_dev_words) if ranks.is_first else None
        resources = Resources(_feature_bytes(options.feature_cache), ranks, signals.has_come)
        made = provenance(_launcher(ranks) + options.command)
        with watching or nullcontext(Unwatched()) as watcher:
            material = Material(train, dev, lexicon, start, n_damaged, str(options.train))
            state = train_model(config, material, options.output, watcher, made, resources)
    if signals.has_stopped:
        return signals.exit_status
    if ranks.is_first:
        print(f"{options.output}: {_end(state, options.dev)}")
    return 0


def _check_texts(
    manifest: Path, utterances: Sequence[Utterance], config: Config, max_lost: float
) -> None:
    """Say what the normaliser takes out of the texts, and which it leaves empty."""
    found = check_omissions(manifest, utterances, config.text.normaliser, max_lost)
    if found.emptied:
        tell(
            f"{manifest}: {config.text.normaliser} leaves nothing of "
            f"{counted(len(found.emptied), 'text')}: {shortened(found.emptied)}; `asr prepare` "
            "leaves them out"
        )


def _end(state: "RunState", dev: Path | None) -> str:
    """Say in a line how a run ended: with the best epoch by a dev set, or with the last one."""
    minutes = f"{state.seconds / 60:.0f} minutes"
    if dev is None:
        return f"epoch {state.epoch}, WER not measured, {minutes}"
    return (
        f"best WER on {dev.name} {100 * state.best_wer:.2f} % "
        f"(greedy, epoch {state.best_epoch} of {state.epoch}, {minutes})"
    )


def _launcher(ranks: "Ranks") -> list[str]:
    """Name the command that started several processes, for the model card."""
    if ranks.count == 1:
        return []
    n_local = _n_local()
    machines = f"--nnodes={ranks.count // n_local}"
    return ["torchrun", machines, f"--nproc-per-node={n_local}", "-m"]


def _n_local() -> int:
    """Count the processes that torchrun started on this machine."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1"))


def _feature_bytes(megabytes: int | None) -> int:
    if megabytes is not None:
        return megabytes * 1_000_000
    return quarter_of_memory() // _n_local()
