"""`asr adapt`: a model and recordings without texts become a model that is used to their voices."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from asr.cli.numbers import at_least, duration
from asr.cli.recognising import recognise, report_failures
from asr.cli.searching import (
    Searching,
    add_model_argument,
    add_search_arguments,
    read_search,
    use_threads,
)
from asr.cli.training import add_run_arguments, quarter_of_memory, read_run, share_threads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asr.config import Config
    from asr.corpus.utterance import Utterance
    from asr.lexicon.read import Pronunciation
    from asr.text.transcript import Transcript

HELP = "get a model used to recordings that nobody has transcribed"
DESCRIPTION = """\
Recognise the recordings of a manifest, then train the model on what was recognised, errors and all,
and write the model that comes of it, with the search and the speller that it came with. It knows
these voices, rooms and microphones better then: decode the same recordings with it, or more of the
same kind. An hour or two of speech is enough; --utterances takes so many out of a large archive.

A model that learns from its own errors keeps them. So the recordings are dealt into folds: a model
that learned from the others recognises each fold anew, and that is what the last model learns from.
--folds 1 does without, in half the time.

The better the search, the more is learned: it is the model's own, or the one that is given here as
to asr decode. A model with an output of phones needs a search with a lexicon. How it is trained
stands in its configuration, with a few values of its own; --set changes any.

OUTPUT.run keeps what was recognised and the states: stopped, the same command goes on from there.
Confidences of the adapted model are not calibrated: its calibrations were those of other weights.
Adapted to a test set, it has heard that set: say so beside its WER.

examples:
  asr adapt mini_librispeech archive.jsonl --output adapted
  asr adapt exp/model archive.jsonl --search beam --lm 3gram.lm --lexicon words.txt --output adapted
next:
  asr decode adapted archive.jsonl --output archive.hypotheses.jsonl
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `asr adapt` takes."""
    add_model_argument(parser)
    parser.add_argument(
        "manifest", type=Path, metavar="MANIFEST", help="what to get used to (see asr prepare)"
    )
    parser.add_argument(
        "--utterances",
        type=at_least(1),
        metavar="N",
        help="learn from so many of them, evenly spread (default: all)",
    )
    parser.add_argument(
        "--folds",
        type=at_least(1),
        metavar="N",
        default=2,
        help="parts that models of the others recognise anew; 1: none (default: %(default)s)",
    )
    add_run_arguments(parser)
    add_search_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Recognise, train, and put the adapted model in place."""
    import torch

    from asr.checkpoint.directory import CONFIG_FILE
    from asr.checkpoint.names import model_folder
    from asr.cli.stopping import StopSignals
    from asr.cli.watch import RunWatcher
    from asr.config import Config
    from asr.corpus.manifest import read_manifest
    from asr.errors import StoppedError
    from asr.experiment import Resources
    from asr.low_resource.adaptation import (
        SETTINGS,
        AdaptationMaterial,
        AdaptationResources,
        adapt_model,
    )
    from asr.provenance import provenance
    from asr.train.data import evenly

    options.threads = options.threads or torch.get_num_threads()  # a shard has a share of them
    folder = model_folder(options.model)
    searching = read_search(options, options.model)
    config = read_run(options, Config, folder / CONFIG_FILE, SETTINGS)
    recordings: Sequence[Utterance] = read_manifest(options.manifest)
    if options.utterances:
        recordings = evenly(recordings, options.utterances)

    def recognise_all(model: Path, some: "Sequence[Utterance]") -> "dict[str, Transcript]":
        use_threads(options.threads)
        return recognise(searching.load(str(model)), some, must_stop=signals.has_come)

    def watch(run: Path) -> RunWatcher:
        share_threads(options, config.train.n_shards)
        run.mkdir(exist_ok=True)
        print(f"{run.with_suffix('')}: training", flush=True)
        return RunWatcher(run, n_dev_words=0)

    with StopSignals(is_quiet=False) as signals:
        training = Resources(quarter_of_memory(), must_stop=signals.has_come)
        try:
            heard = adapt_model(
                config,
                AdaptationMaterial(folder, recordings, _lexicon(searching, config), options.folds),
                options.output,
                provenance(options.command),
                AdaptationResources(str(searching), recognise_all, watch, training),
            )
        except StoppedError as stopped:
            print(f"asr: {stopped}", file=sys.stderr)
            return signals.exit_status
    seconds = sum(transcript.duration or 0.0 for transcript in heard.values())
    print(f"{options.output}: adapted to {duration(seconds)} of speech")
    return report_failures(len(recordings), len(heard))


def _lexicon(searching: Searching, config: "Config") -> "list[Pronunciation] | None":
    """Read how the words are pronounced that the search can find, if it goes by that."""
    from asr.lexicon.read import read_lexicon
    from asr.text.normalise import normaliser

    if searching.lexicon is None:
        return None
    entries = read_lexicon(searching.lexicon, normaliser(config.text.normaliser))
    return entries if entries[0][1] else None
