"""Adapt a model to recordings that nobody has transcribed.

Recognises the recordings of a manifest, trains the model on its own transcripts, errors and all,
and writes the adapted model, with the default search of the original. It knows these voices, rooms
and microphones better: decode the same recordings with it, or more of the same kind. An hour or two
of speech is enough; --utterances takes some out of a large archive.

A model that learns from its own errors keeps them. So the recordings are dealt into folds: each is
recognised again by a model that learned from the others, and the last model learns from those
transcripts. --folds 1 skips that, in half the time.

The better the search, the more the model learns: the default is the model's own, and the options
are those of asr decode. A model with a head of phones needs a search with pronunciations. The
training uses the model's configuration with a few values changed; --set changes any.

OUTPUT.run keeps transcripts and states: stopped, the same command resumes from there. The adapted
model's confidences are not calibrated, since calibrations belong to the original weights. A model
that was adapted to a test set has seen that set: say so next to its WER.

Examples:
  asr adapt english archive.jsonl --output adapted
  asr adapt exp/model archive.jsonl --search beam --lm 3gram.lm --lexicon words.txt --output adapted
Next:
  asr decode adapted archive.jsonl --output archive.hypotheses.jsonl
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from asr.checkpoint.decoding import plan_search
from asr.checkpoint.directory import CONFIG_FILE, read_directory
from asr.checkpoint.engine import load_engine
from asr.checkpoint.names import model_folder
from asr.cli.numbers import add_number
from asr.cli.recognising import recognise, report_failures
from asr.cli.searching import (
    add_model_argument,
    add_search_arguments,
    add_threads_argument,
    read_search,
)
from asr.cli.stopping import StopSignals
from asr.cli.training import (
    add_run_arguments,
    quarter_of_memory,
    read_run_config,
    share_threads,
    use_threads,
)
from asr.cli.watch import RunWatcher
from asr.config import Config
from asr.corpus.manifest import read_manifest
from asr.corpus.utterance import Utterance, evenly
from asr.provenance import n_cores, provenance
from asr.recognizer import Recognizer
from asr.text.markdown import duration
from asr.text.transcript import Transcript


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_model_argument(parser)
    parser.add_argument(
        "manifest", type=Path, metavar="MANIFEST", help="recordings to adapt to (see asr prepare)"
    )
    add_number(parser, "--utterances", "learn from at most N of them, evenly spread (default: all)")
    add_number(
        parser, "--folds", "parts, each recognised again by a model of the others", default=2
    )
    add_run_arguments(parser)
    add_threads_argument(parser)
    add_search_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Recognise, train, and put the adapted model in place."""
    from asr.experiment import Resources
    from asr.low_resource.adaptation import (
        SETTINGS,
        AdaptationMaterial,
        AdaptationResources,
        adapt_model,
    )

    n_threads: int = options.threads or n_cores()
    folder = model_folder(options.model)
    plan = plan_search(read_search(options), read_directory(folder).search)
    config = read_run_config(options, Config, folder / CONFIG_FILE, SETTINGS)
    recordings: Sequence[Utterance] = read_manifest(options.manifest)
    if options.utterances:
        recordings = evenly(recordings, options.utterances)

    def recognise_all(model: Path, some: Sequence[Utterance]) -> dict[str, Transcript]:
        use_threads(n_threads)
        engine = load_engine(model, n_threads=n_threads)
        recognizer = Recognizer(read_directory(model), engine, plan, n_threads=n_threads)
        return recognise(recognizer, some, must_stop=signals.has_come)

    def watch(run: Path) -> RunWatcher:
        share_threads(n_threads, config.train.n_shards)
        print(f"{run.with_suffix('')}: training", flush=True)
        return RunWatcher(run, n_dev_words=0)

    material = AdaptationMaterial(folder, plan, recordings, options.folds)
    with StopSignals() as signals:
        training = Resources(quarter_of_memory(), must_stop=signals.has_come)
        resources = AdaptationResources(recognise_all, watch, training)
        made = provenance(options.command)
        transcripts = adapt_model(config, material, options.output, made, resources)
    if signals.has_stopped:
        return signals.exit_status
    seconds = sum(one.duration or 0.0 for one in transcripts.values() if one.text)
    print(f"{options.output}: adapted to {duration(seconds)} of speech")
    return report_failures(len(recordings), len(transcripts))
