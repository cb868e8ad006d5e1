"""`asr spell`: a model with an output of phones, and text, become a model that spells better."""

import argparse
import sys
from pathlib import Path

from asr.cli.training import (
    add_run_arguments,
    quarter_of_memory,
    read_run,
    run_end,
    run_folder,
    share_threads,
)

HELP = "teach a model to spell, by text alone"
DESCRIPTION = """\
Train a speller: a second network that reads what a model hears of phones and writes the text. It
learns from text that nobody has read aloud: a lexicon pronounces the words, and each phone sounds
to it as the model heard that phone somewhere in its training speech. So the model's text, in a
greedy search too, profits from far more text than there is speech.

Everything about the speller and its training stands in the configuration (see conf/speller.toml); a
value can be changed for one run: --set train.n_epochs=3. The best epoch is chosen by greedy WER on
a dev set. The folder OUTPUT.run keeps the state of the run and its metrics. Stopped at any moment,
the same command goes on from there. The model directory, a copy of MODEL with the speller in it,
appears when training is finished.

A speller that exists can learn to read another model, or go on with more text: --start gives its
weights and keeps its tokens. Try a third of its learning rate and of its epochs first.

examples:
  asr spell exp/model conf/speller.toml --text books.txt.xz --lexicon lexicon.txt \\
    --train train.jsonl --dev dev.jsonl --output exp/spelling
  asr spell exp/better conf/speller.toml --start exp/spelling --set train.n_epochs=30 ...
next:
  asr decode exp/spelling dev.jsonl --search greedy --output dev.greedy.jsonl
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `asr spell` takes."""
    parser.add_argument("model", metavar="MODEL", help="a model with an output of phones")
    parser.add_argument("config", type=Path, metavar="CONFIG", help="configuration, as of conf/")
    parser.add_argument(
        "--text", type=Path, nargs="+", required=True, metavar="FILE", help="text to learn from"
    )
    parser.add_argument(
        "--lexicon",
        type=Path,
        required=True,
        metavar="FILE",
        help="pronunciations, in the model's phones, of the words of the text and of the speech",
    )
    parser.add_argument(
        "--train", type=Path, required=True, metavar="MANIFEST", help="the model's training speech"
    )
    parser.add_argument(
        "--dev", type=Path, required=True, metavar="MANIFEST", help="to choose the best epoch by"
    )
    parser.add_argument(
        "--start",
        metavar="MODEL",
        help="begin with the weights of the speller of a model, a folder or a shipped one's name, "
        "of the same [text] and [model], behind the same phones (default: random weights)",
    )
    add_run_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Train, show progress, and put the model with the best speller in place."""
    from asr.checkpoint import load_checkpoint
    from asr.cli.bars import counting_bar
    from asr.cli.stopping import StopSignals
    from asr.cli.watch import RunWatcher
    from asr.config import SpellingConfig
    from asr.corpus.manifest import read_manifest
    from asr.errors import StoppedError
    from asr.lm.segments import read_segments
    from asr.model_names import model_folder
    from asr.provenance import provenance
    from asr.spelling_experiment import SpellingMaterial, SpellingResources, train_speller
    from asr.text.normalise import normaliser
    from asr.text.pronunciations import read_lexicon

    config = read_run(options, SpellingConfig, options.config)
    share_threads(options, config.train.n_shards)
    dev = read_manifest(options.dev)
    material = SpellingMaterial(
        model_folder(options.model),
        read_segments(options.text),
        read_lexicon(options.lexicon, normaliser(config.text.normaliser)),
        read_manifest(options.train),
        dev,
        load_checkpoint(model_folder(options.start)) if options.start else None,
    )
    n_dev_words = sum(len((utterance.text or "").split()) for utterance in dev)
    with StopSignals(is_quiet=False) as signals:
        try:
            with (
                counting_bar("listening", "utt") as on_heard,
                RunWatcher(run_folder(options.output), n_dev_words=n_dev_words) as watcher,
            ):
                resources = SpellingResources(quarter_of_memory(), signals.has_come, on_heard)
                circumstances = provenance(options.command)
                state = train_speller(
                    config, material, options.output, watcher, circumstances, resources
                )
        except StoppedError as stopped:
            print(f"asr: {stopped}", file=sys.stderr)
            return signals.exit_status
    print(f"{options.output}: {run_end(state, options.dev)}")
    return 0
