"""`asr adapt`: a model and recordings without texts become a model that is used to their voices."""

import argparse
import hashlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from asr.cli.numbers import at_least
from asr.cli.recognising import recognise, report_failures
from asr.cli.searching import Searching, add_search_arguments, read_search
from asr.cli.training import add_run_arguments, quarter_of_memory, read_run, share_threads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asr.config import Config
    from asr.corpus.utterance import Utterance
    from asr.text.pronunciations import Pronunciation
    from asr.text.transcript import Transcript

HELP = "get a model used to recordings that nobody has transcribed"
DESCRIPTION = """\
Recognise the recordings of a manifest, then train the model on what was recognised, errors and all,
and write the model that comes of it, with the search and the speller that it came with. It knows
these voices, rooms and microphones better then: decode the same recordings with it, or more of the
same kind. An hour or two of speech is enough; --utterances takes so many out of a large archive.

The better the search, the more is learned: it is the model's own, or the one that is given here as
to asr decode. A model with an output of phones needs a search with a lexicon. How it is trained
stands in its configuration, with a few values of its own; --set changes any.

OUTPUT.run keeps what was recognised and the state: stopped, the same command goes on from there.
Confidences of the adapted model are not calibrated, since it is surer of what it learned from
itself. Adapted to a test set, it has heard that set: say so beside its WER.

examples:
  asr adapt mini_librispeech archive.jsonl --output adapted
  asr adapt exp/model archive.jsonl --search beam --lm 3gram.lm --lexicon words.txt --output adapted
next:
  asr decode adapted archive.jsonl --output archive.hypotheses.jsonl
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `asr adapt` takes."""
    parser.add_argument(
        "model", metavar="MODEL", help="a model's folder, or the name of a shipped one"
    )
    parser.add_argument(
        "manifest", type=Path, metavar="MANIFEST", help="what to get used to (see asr prepare)"
    )
    parser.add_argument(
        "--utterances",
        type=at_least(1),
        metavar="N",
        help="learn from so many of them, evenly spread (default: all)",
    )
    add_run_arguments(parser)
    add_search_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Recognise, train, and put the adapted model in place."""
    from asr.adaptation import SETTINGS, adapt_model, adaptation_folder, stretches
    from asr.checkpoint import load_checkpoint
    from asr.cli.stopping import StopSignals
    from asr.cli.watch import RunWatcher
    from asr.config import Config
    from asr.corpus.manifest import read_manifest
    from asr.errors import StoppedError
    from asr.experiment import Material, Resources
    from asr.model_files import CONFIG_FILE
    from asr.model_names import model_folder
    from asr.provenance import provenance
    from asr.train.data import evenly

    folder = model_folder(options.model)
    searching = read_search(options, options.model)
    config = read_run(options, Config, folder / CONFIG_FILE, SETTINGS)
    utterances: Sequence[Utterance] = read_manifest(options.manifest)
    if options.utterances:
        utterances = evenly(utterances, options.utterances)
    run_folder = adaptation_folder(options.output)
    start = load_checkpoint(folder)
    lexicon = _lexicon(searching, config) if start.phones else None
    transcripts = _recognised(options.model, searching, utterances, run_folder)
    material = Material(stretches(utterances, transcripts), None, lexicon, start)
    share_threads(options, config.train.n_shards)
    with StopSignals(is_quiet=False) as signals:
        try:
            with RunWatcher(run_folder / "acoustic.run", n_dev_words=0) as watcher:
                state = adapt_model(
                    config,
                    folder,
                    material,
                    options.output,
                    watcher,
                    provenance(options.command),
                    Resources(quarter_of_memory(), must_stop=signals.has_come),
                )
        except StoppedError as stopped:
            print(f"asr: {stopped}", file=sys.stderr)
            return signals.exit_status
    hours = sum(utterance.duration or 0.0 for utterance in material.train) / 3600
    print(
        f"{options.output}: adapted to {hours:.2f} hours of speech in {state.epoch} epochs, "
        f"{state.seconds / 60:.0f} minutes"
    )
    return report_failures(len(utterances), len(transcripts))


def _recognised(
    model: str, searching: Searching, utterances: "Sequence[Utterance]", run_folder: Path
) -> "dict[str, Transcript]":
    """Recognise, or read what was recognised before by the same model, search and recordings."""
    from asr.corpus.utterance import without_folders
    from asr.model_names import weights_hash
    from asr.text.transcript import read_transcripts, write_transcripts

    origin = f"{weights_hash(model)} {searching} {without_folders(utterances)}"
    file = run_folder / f"heard.{hashlib.sha256(origin.encode()).hexdigest()[:8]}.jsonl"
    if not file.exists():
        transcripts = recognise(searching.load(model), utterances)
        run_folder.mkdir(parents=True, exist_ok=True)
        write_transcripts(file, transcripts.values())
    return read_transcripts(file)


def _lexicon(searching: Searching, config: "Config") -> "list[Pronunciation]":
    """Read how the words are pronounced that the search can find."""
    from asr.errors import ConfigError
    from asr.text.normalise import normaliser
    from asr.text.pronunciations import read_lexicon

    if searching.lexicon:
        entries = read_lexicon(searching.lexicon, normaliser(config.text.normaliser))
        if entries[0][1]:
            return entries
    raise ConfigError(
        "the model learns phones beside text, and only a search with pronunciations finds them: "
        "give one (--search beam --lexicon FILE)"
    )
