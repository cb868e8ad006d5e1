"""Adaptation: a model learns from its own transcripts, and adapts to the voices in them."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

from asr.checkpoint.card import provenance_rows
from asr.checkpoint.decoding import SearchPlan
from asr.checkpoint.directory import ONNX_FILE, check_replaceable, read_card
from asr.checkpoint.golden import read_example
from asr.checkpoint.names import weights_hash
from asr.checkpoint.network import Checkpoint, load_checkpoint, save_checkpoint
from asr.checkpoint.seal import digest_of
from asr.config import Config, config_hash
from asr.corpus.loader import recordings_hash
from asr.corpus.utterance import Utterance
from asr.errors import ConfigError
from asr.experiment import Material, Resources, train_model
from asr.lexicon.read import Pronunciation, read_lexicon
from asr.low_resource.pseudo_labels import pseudo_labelled
from asr.provenance import Provenance
from asr.runtime.description import Weights
from asr.runtime.onnx_engine import OnnxEngine
from asr.text.markdown import duration
from asr.text.normalise import normaliser
from asr.text.transcript import Transcript, read_transcripts, write_transcripts
from asr.train.progress import Watcher
from asr.train.run import run_folder

# What differs from the training that the model comes from; docs/experiments.md has other values.
SETTINGS = {
    "optimiser.learning_rate": "0.001",
    "optimiser.warmup_epochs": "0.5",
    "optimiser.hold_epochs": "0.0",
    "batching.batch_duration": "120.0",
    "batching.sorted_first": "false",
    "augment.codec_share": "0.0",
    "augment.ramp_epochs": "0",
    "train.n_epochs": "12",
    "train.average_decay": "0.99",
}

SECTION = "## Adaptation"  # of the model card


@dataclass(frozen=True, slots=True)
class AdaptationMaterial:
    """A model, and what it adapts to.

    Attributes:
        model: The model's directory.
        plan: How recordings are recognised. A model with a head of phones needs pronunciations.
        recordings: With or without durations; their texts are not read.
        n_folds: Parts of the recordings, each recognised again by a model that learned from the
            others; 1: none.
    """

    model: Path
    plan: SearchPlan
    recordings: Sequence[Utterance]
    n_folds: int


@dataclass(frozen=True, slots=True)
class AdaptationResources:
    """How an adaptation recognises, trains and reports.

    Attributes:
        recognise: From a model's directory and utterances to transcripts by id, by the plan.
        watch: Makes the watcher of a training from the folder of its run.
        training: What each training may use.
    """

    recognise: Callable[[Path, Sequence[Utterance]], Mapping[str, Transcript]]
    watch: Callable[[Path], AbstractContextManager[Watcher]]
    training: Resources


def adapt_model(
    config: Config,
    material: AdaptationMaterial,
    output: Path,
    provenance: Provenance,
    resources: AdaptationResources,
) -> Mapping[str, Transcript]:
    """Adapt a model to recordings without texts, or resume its adaptation.

    Transcripts are taken as texts. A model that learns from its own errors keeps them, most of all
    in the recordings where it made them. So each fold is recognised again by a model that learned
    from the others, and the last model learns from those transcripts.

    The model keeps its default search and loses its calibrations, which belong to its old weights.

    Args:
        config: The model's own with `SETTINGS`, or another.
        material: What to adapt, and to what.
        output: The model directory; made at the very end. `<output>.run` keeps the transcripts and
            the states of the trainings.
        provenance: For the model card.
        resources: How to recognise and train.

    Returns:
        The transcripts of all recordings that can be read, by id; the model learned from those with
        words.

    Raises:
        ConfigError: The model has a head of phones, and the search has no pronunciations.
        DataError: Nothing was recognised.
        TrainingError: Training cannot go on; the state on disk is from before.
        StoppedError: `must_stop` returned True. Finished transcripts and the state are saved.
        AudioError: A recording can no longer be read.
        ModelError: `output` holds something that is not a model.

    References:
        Shinozaki, Kubota and Furui, "Unsupervised cross-validation adaptation algorithms for
        improved adaptation performance", ICASSP 2009.
    """
    check_replaceable(output)
    plan, recordings, start = material.plan, material.recordings, load_checkpoint(material.model)
    lexicon = _lexicon(plan, start) if start.config.phone_heads else None
    card, example = read_card(material.model), read_example(material.model)
    graph_weights = _graph_weights(material.model)
    adapter = _Adapter(config, start, plan, lexicon, run_folder(output), provenance, resources)
    transcripts = adapter.recognise(material.model, recordings)
    if (n_folds := min(material.n_folds, len(recordings))) > 1:
        transcripts = adapter.recognise_folds(folds(recordings, n_folds), transcripts)
    trained = load_checkpoint(adapter.train("acoustic", recordings, transcripts))
    directory = replace(trained.directory, search=start.directory.search)
    save_checkpoint(
        output,
        replace(trained, directory=directory),
        card=_card(card, config, transcripts, provenance),
        example=example,
        onnx=graph_weights,
    )
    return transcripts


def folds(recordings: Sequence[Utterance], n_folds: int) -> list[list[Utterance]]:
    """Deal recordings out like cards, so that every fold has some of each speaker."""
    return [list(recordings[number::n_folds]) for number in range(n_folds)]


@dataclass(frozen=True, slots=True)
class _Adapter:
    """Recognises and trains; what is finished in its folder is not done again."""

    config: Config
    start: Checkpoint
    plan: SearchPlan
    lexicon: Sequence[Pronunciation] | None
    folder: Path
    provenance: Provenance
    resources: AdaptationResources

    def recognise(self, model: Path, recordings: Sequence[Utterance]) -> dict[str, Transcript]:
        """Recognise, or read what this model recognised before with the same search."""
        files = (path for path in (self.plan.lm, self.plan.lexicon) if path is not None)
        search = f"{self.plan!r} {[digest_of(path) for path in files]}"
        origin = f"{weights_hash(model)} {search} {recordings_hash(recordings)}"
        name = hashlib.sha256(origin.encode()).hexdigest()[:8]
        file = self.folder / f"transcripts.{name}.jsonl"
        if not file.exists():
            write_transcripts(file, self.resources.recognise(model, recordings).values())
        return read_transcripts(file)

    def recognise_folds(
        self, parts: Sequence[list[Utterance]], transcripts: Mapping[str, Transcript]
    ) -> dict[str, Transcript]:
        """Recognise each part by a model that learned from the others."""
        again: dict[str, Transcript] = {}
        for number, part in enumerate(parts, start=1):
            others = [u for other in parts if other is not part for u in other]
            again |= self.recognise(self.train(f"without-{number}", others, transcripts), part)
        return again

    def train(
        self, name: str, recordings: Sequence[Utterance], transcripts: Mapping[str, Transcript]
    ) -> Path:
        """Train on transcripts; return the directory of the model."""
        output, resources = self.folder / name, self.resources
        labelled = pseudo_labelled(recordings, transcripts)
        material = Material(labelled, None, self.lexicon, self.start, source="its own transcripts")
        with resources.watch(run_folder(output)) as watcher:
            train_model(self.config, material, output, watcher, self.provenance, resources.training)
        return output


def _lexicon(plan: SearchPlan, start: Checkpoint) -> list[Pronunciation]:
    """Read the pronunciations of the words that the search can find."""
    normalise = normaliser(start.config.text.normaliser)
    entries = read_lexicon(plan.lexicon, normalise) if plan.lexicon else []
    if not entries or not entries[0][1]:
        raise ConfigError(
            f"the model has a head of phones ({start.config.phone_heads[0]}), which only a search "
            "with pronunciations can label: give one (--search beam --lexicon FILE)"
        )
    return entries


def _graph_weights(model: Path) -> Weights | None:
    """Return how a model's graph stores weights; None if it has no graph."""
    if not (model / ONNX_FILE).is_file():
        return None
    return OnnxEngine(model / ONNX_FILE, n_threads=1).description.weights


def _card(
    before: str, config: Config, transcripts: Mapping[str, Transcript], provenance: Provenance
) -> str:
    """Add the adaptation to the model's card, in place of an earlier one."""
    learned = [transcript for transcript in transcripts.values() if transcript.text]
    seconds = sum(transcript.duration or 0.0 for transcript in learned)
    return f"""\
{before.partition(SECTION)[0].rstrip()}

{SECTION}

Everything above describes the model before its adaptation.

| | |
|---|---|
| adapted to | {len(learned)} recordings, {duration(seconds)}, by its own transcripts of them |
| configuration | {config_hash(config)} |
{provenance_rows(provenance)}
"""
