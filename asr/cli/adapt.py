"""`asr adapt`: a model and recordings without texts become a model that is used to their voices."""

import argparse
import hashlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from asr.cli.numbers import at_least
from asr.cli.recognising import recognise, report_failures
from asr.cli.searching import Searching, add_search_arguments, read_search, use_threads
from asr.cli.training import (
    add_run_arguments,
    quarter_of_memory,
    read_run,
    run_folder,
    share_threads,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asr.checkpoint import Checkpoint
    from asr.config import Config
    from asr.corpus.utterance import Utterance
    from asr.experiment import Material
    from asr.text.pronunciations import Pronunciation
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

    from asr.adaptation import SETTINGS, folds, save_adapted
    from asr.cli.stopping import StopSignals
    from asr.config import Config
    from asr.corpus.manifest import read_manifest
    from asr.errors import StoppedError
    from asr.model_files import CONFIG_FILE, check_replaceable
    from asr.model_names import model_folder
    from asr.provenance import provenance
    from asr.train.data import evenly

    options.threads = options.threads or torch.get_num_threads()  # a shard has a share of them
    folder = model_folder(options.model)
    searching = read_search(options, options.model)
    config = read_run(options, Config, folder / CONFIG_FILE, SETTINGS)
    check_replaceable(options.output)
    utterances: Sequence[Utterance] = read_manifest(options.manifest)
    if options.utterances:
        utterances = evenly(utterances, options.utterances)
    with StopSignals(is_quiet=False) as signals:
        adapter = _Adapter.of(options, config, searching, signals.has_come)
        try:
            heard = adapter.recognised(options.model, utterances)
            n_heard = len(heard)
            if (n_folds := min(options.folds, len(utterances))) > 1:
                heard = adapter.recognised_anew(folds(utterances, n_folds), heard)
            acoustic, material = adapter.learned("acoustic", utterances, heard)
        except StoppedError as stopped:
            print(f"asr: {stopped}", file=sys.stderr)
            return signals.exit_status
    save_adapted(folder, acoustic, options.output, material, provenance(options.command))
    hours = sum(utterance.duration or 0.0 for utterance in material.train) / 3600
    print(f"{options.output}: adapted to {hours:.2f} hours of speech")
    return report_failures(len(utterances), n_heard)


@dataclass(frozen=True, slots=True)
class _Adapter:
    """Recognises and learns; what was done before in the same folder is not done again."""

    options: argparse.Namespace
    config: "Config"
    searching: Searching
    start: "Checkpoint"
    lexicon: "list[Pronunciation] | None"
    folder: Path
    must_stop: Callable[[], bool]

    @classmethod
    def of(
        cls,
        options: argparse.Namespace,
        config: "Config",
        searching: Searching,
        must_stop: Callable[[], bool],
    ) -> "_Adapter":
        """Load the model, and the lexicon that it needs."""
        from asr.checkpoint import load_checkpoint
        from asr.model_names import model_folder

        start = load_checkpoint(model_folder(options.model))
        lexicon = _lexicon(searching, config) if start.phones else None
        folder = options.output.with_name(options.output.name + ".run")
        folder.mkdir(parents=True, exist_ok=True)
        return cls(options, config, searching, start, lexicon, folder, must_stop)

    def recognised(self, model: str, utterances: "Sequence[Utterance]") -> "dict[str, Transcript]":
        """Recognise, or read what the same model recognised before by the same search."""
        from asr.corpus.utterance import without_folders
        from asr.model_names import weights_hash
        from asr.text.transcript import read_transcripts, write_transcripts

        origin = f"{weights_hash(model)} {self.searching} {without_folders(utterances)}"
        file = self.folder / f"heard.{hashlib.sha256(origin.encode()).hexdigest()[:8]}.jsonl"
        if not file.exists():
            use_threads(self.options.threads)
            transcripts = recognise(self.searching.load(model), utterances)
            write_transcripts(file, transcripts.values())
        return read_transcripts(file)

    def recognised_anew(
        self, parts: "Sequence[list[Utterance]]", heard: "dict[str, Transcript]"
    ) -> "dict[str, Transcript]":
        """Recognise each part by a model that has learned from the others."""
        anew: dict[str, Transcript] = {}
        for number, part in enumerate(parts):
            others = [u for other in parts if other is not part for u in other]
            model, _ = self.learned(f"without-{number + 1}", others, heard)
            anew |= self.recognised(str(model), part)
        return anew

    def learned(
        self, name: str, utterances: "Sequence[Utterance]", heard: "dict[str, Transcript]"
    ) -> "tuple[Path, Material]":
        """Train on what was heard; return where the acoustic model lies, and what it learned."""
        from asr.adaptation import stretches
        from asr.cli.watch import RunWatcher
        from asr.experiment import Material, Resources, train_model
        from asr.provenance import provenance

        share_threads(self.options, self.config.train.n_shards)
        output = self.folder / name
        material = Material(stretches(utterances, heard), None, self.lexicon, self.start)
        print(f"{output}: learning from {len(material.train)} stretches of speech", flush=True)
        with RunWatcher(run_folder(output), n_dev_words=0) as watcher:
            resources = Resources(quarter_of_memory(), must_stop=self.must_stop)
            circumstances = provenance(self.options.command)
            train_model(self.config, material, output, watcher, circumstances, resources)
        return output, material


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
