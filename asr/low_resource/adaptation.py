"""Adaptation: a model learns from what it recognised itself, and gets used to the voices in it."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from asr.checkpoint.directory import CARD_FILE, check_replaceable
from asr.checkpoint.names import weights_hash
from asr.checkpoint.network import Checkpoint, load_checkpoint, read_example, save_checkpoint
from asr.config import Config, config_hash
from asr.corpus.utterance import Utterance, without_folders
from asr.errors import ConfigError, DataError
from asr.experiment import Material, Resources, train_model
from asr.lexicon.read import Pronunciation
from asr.provenance import Provenance
from asr.text.transcript import Transcript, Word, read_transcripts, write_transcripts
from asr.train.progress import Watcher

# What is otherwise than in the training that the model comes from; docs/experiments.md has the
# other values that were tried.
SETTINGS = {
    "optimiser.schedule": '"cosine"',
    "optimiser.learning_rate": "0.001",
    "optimiser.warmup_epochs": "0.5",
    "optimiser.hold_epochs": "0.0",
    "batching.batch_duration": "120.0",
    "batching.codec_share": "0.0",
    "batching.sorted_first": "false",
    "batching.ramp_epochs": "0",
    "train.n_epochs": "12",
    "train.patience": "0",
    "train.grow_epochs": "0",
    "train.average_decay": "0.99",
}

SECTION = "## Adaptation"  # of the model card
LONGEST = 30.0  # seconds; what is longer is cut
MARGIN = 0.5  # seconds of silence that a cut leaves around words


@dataclass(frozen=True, slots=True)
class AdaptationMaterial:
    """What a model gets used to.

    Attributes:
        model: The model's directory.
        recordings: With durations or without, and texts that are not looked at.
        lexicon: How the words that the search can find are pronounced; a model with an output of
            phones needs it.
        n_folds: Parts of the recordings that models of the other parts recognise anew; 1: none.
    """

    model: Path
    recordings: Sequence[Utterance]
    lexicon: Sequence[Pronunciation] | None
    n_folds: int


@dataclass(frozen=True, slots=True)
class AdaptationResources:
    """What an adaptation may use, and whom it asks and tells.

    Attributes:
        search: Names how `recognise` searches: what it recognised before is taken for it again.
        recognise: Recognises utterances by the model in a directory; gives transcripts by id.
        watch: Makes who watches a training, of the folder of its run.
        training: What each training may use.
    """

    search: str
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
    """Adapt a model to recordings without texts, or go on with that.

    What was recognised is taken for what was said. A model that learns from its own errors keeps
    them, in the recordings that they were made in most of all; so each fold is recognised anew by a
    model that learned from the others, and that is what the last model learns from.

    The model's search and speller come along as they are. Its calibrations do not: they were
    measured on its weights before.

    Args:
        config: The model's own with `SETTINGS`, or others.
        material: What to adapt, and to what.
        output: The model directory; made at the very end. `<output>.run` keeps what was recognised
            and the states of the trainings.
        provenance: For the model card.
        resources: How to recognise, and what to train with.

    Returns:
        What was recognised and then learned from, by id; without recordings that cannot be read.

    Raises:
        ConfigError: The model has an output of phones, and there is no lexicon.
        DataError: Nothing was recognised.
        TrainingError: Training cannot go on; the state on disk is from before.
        StoppedError: `must_stop` said so. What was recognised whole, and the state, are saved.
        AudioError: A recording that could be read cannot be read any more.
        ModelError: `output` holds something that is no model.

    References:
        Shinozaki, Kubota and Furui, "Unsupervised cross-validation adaptation algorithms for
        improved adaptation performance", ICASSP 2009.
    """
    check_replaceable(output)
    start = load_checkpoint(material.model)
    if start.phones and not material.lexicon:
        raise ConfigError(
            "the model learns phones beside text, and only a search with pronunciations finds "
            "them: give one (--search beam --lexicon FILE)"
        )
    folder = output.with_name(output.name + ".run")
    folder.mkdir(parents=True, exist_ok=True)
    lexicon = material.lexicon if start.phones else None
    adapter = _Adapter(config, start, lexicon, folder, provenance, resources)
    recordings = material.recordings
    heard = adapter.recognised(material.model, recordings)
    if (n_folds := min(material.n_folds, len(recordings))) > 1:
        heard = adapter.recognised_anew(folds(recordings, n_folds), heard)
    acoustic = load_checkpoint(adapter.trained("acoustic", recordings, heard))
    priors = {**acoustic.priors}
    if start.speller:
        priors["text"] = start.priors["text"]
    adapted = replace(acoustic, priors=priors, search=start.search, speller=start.speller)
    card = _card(material.model, config, heard, provenance)
    save_checkpoint(output, adapted, card=card, example=read_example(material.model))
    return heard


def folds(recordings: Sequence[Utterance], n_folds: int) -> list[list[Utterance]]:
    """Deal recordings out like cards, so that every fold has some of each speaker's."""
    return [list(recordings[number::n_folds]) for number in range(n_folds)]


def stretches(
    recordings: Sequence[Utterance], transcripts: Mapping[str, Transcript]
) -> list[Utterance]:
    """Take what was recognised for what was said.

    Recordings of more than `LONGEST` seconds are cut at their longest pauses.

    Args:
        recordings: In order.
        transcripts: By id, with times of words where a recording is long.

    Returns:
        Utterances with texts; without those of which nothing was recognised.

    Raises:
        DataError: Nothing was recognised in any.
    """
    heard = [
        stretch
        for recording in recordings
        if recording.id in transcripts and transcripts[recording.id].text
        for stretch in _stretches(recording, transcripts[recording.id])
    ]
    if not heard:
        raise DataError(f"nothing was recognised in {len(recordings)} recordings: nothing to learn")
    return heard


@dataclass(frozen=True, slots=True)
class _Adapter:
    """Recognises and trains; what was done before in the same folder is not done again."""

    config: Config
    start: Checkpoint
    lexicon: Sequence[Pronunciation] | None
    folder: Path
    provenance: Provenance
    resources: AdaptationResources

    def recognised(self, model: Path, recordings: Sequence[Utterance]) -> dict[str, Transcript]:
        """Recognise, or read what this model recognised before by the same search."""
        origin = f"{weights_hash(model)} {self.resources.search} {without_folders(recordings)}"
        file = self.folder / f"heard.{hashlib.sha256(origin.encode()).hexdigest()[:8]}.jsonl"
        if not file.exists():
            write_transcripts(file, self.resources.recognise(model, recordings).values())
        return read_transcripts(file)

    def recognised_anew(
        self, parts: Sequence[list[Utterance]], heard: Mapping[str, Transcript]
    ) -> dict[str, Transcript]:
        """Recognise each part by a model that has learned from the others."""
        anew: dict[str, Transcript] = {}
        for number, part in enumerate(parts):
            others = [u for other in parts if other is not part for u in other]
            anew |= self.recognised(self.trained(f"without-{number + 1}", others, heard), part)
        return anew

    def trained(
        self, name: str, recordings: Sequence[Utterance], heard: Mapping[str, Transcript]
    ) -> Path:
        """Train on what was heard; return the directory of the acoustic model."""
        output = self.folder / name
        material = Material(stretches(recordings, heard), None, self.lexicon, self.start)
        with self.resources.watch(output.with_name(f"{name}.run")) as watcher:
            training = self.resources.training
            train_model(self.config, material, output, watcher, self.provenance, training)
        return output


def _stretches(utterance: Utterance, transcript: Transcript) -> Iterator[Utterance]:
    if (transcript.duration or 0.0) <= LONGEST:
        yield replace(utterance, text=transcript.text, duration=transcript.duration)
        return
    for number, words in enumerate(_cut(transcript.words)):
        start = max(0.0, words[0].start - MARGIN)
        end = min(words[-1].end + MARGIN, transcript.duration or 0.0)
        yield replace(
            utterance,
            id=f"{utterance.id}#{number}",
            offset=utterance.offset + start,
            duration=end - start,
            text=" ".join(word.text for word in words),
        )


def _cut(words: Sequence[Word]) -> Iterator[Sequence[Word]]:
    """Cut at the longest pause, and what is still too long once more."""
    waiting = [words]
    while waiting:
        some = waiting.pop()
        if len(some) < 2 or some[-1].end - some[0].start <= LONGEST:
            yield some
            continue
        pauses = [after.start - before.end for before, after in pairwise(some)]
        middle = 1 + max(range(len(pauses)), key=pauses.__getitem__)
        waiting += [some[middle:], some[:middle]]


def _card(
    model: Path, config: Config, heard: Mapping[str, Transcript], provenance: Provenance
) -> str:
    """Write about the adaptation below what the card says of the model."""
    hours = sum(transcript.duration or 0.0 for transcript in heard.values()) / 3600
    card = (model / CARD_FILE).read_text(encoding="utf-8").partition(SECTION)[0]
    return f"""\
{card.rstrip()}

{SECTION}

What stands above is about the model as it was before.

| | |
|---|---|
| adapted to | {len(heard)} recordings, {hours:.2f} hours, by what was recognised in them |
| configuration | {config_hash(config)} |
{provenance.rows}
"""
