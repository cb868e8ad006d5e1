"""Experiment with a speller: a model, its training speech and a text become a model that spells."""

import dataclasses
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
from torch import Tensor

from asr.checkpoint import Checkpoint, load_checkpoint, read_example, save_checkpoint
from asr.config import SpellingConfig, config_hash, refuse_other_shape, to_toml
from asr.corpus.feature_memory import FeatureMemory
from asr.corpus.utterance import Utterance, without_folders
from asr.errors import ConfigError, StoppedError
from asr.model.acoustic import Output
from asr.model_files import CARD_FILE, check_replaceable, copy_model
from asr.provenance import Provenance
from asr.speller import Speller, build_speller
from asr.spelling.heard_phones import HeardPhones, Integers, Said
from asr.spelling.listening import OnHeard, Overheard, listen
from asr.spelling.pronounceable import PronounceableText
from asr.spelling.pronounced_text import PronouncedText
from asr.text.normalise import normaliser
from asr.text.pronunciations import PhoneSpeller, Pronunciation
from asr.text.tokenizer import make_tokenizer
from asr.text.tokens import TokenTable
from asr.train.data import TrainingData, as_recorded, dev_references, evenly, normalised_texts
from asr.train.loop import DevSet, Trainer
from asr.train.priors import PRIOR_UTTERANCES, estimate_priors
from asr.train.progress import Watcher
from asr.train.ranks import ALONE
from asr.train.state import RunState
from asr.train.step import Workers

SECTION = "## Speller"  # of the model card
HEARD_FILE = "heard.safetensors"
TOKENIZER_SEGMENTS = 200_000  # evenly spread over the text: seconds, not minutes


@dataclass(frozen=True, slots=True)
class SpellingMaterial:
    """What a speller learns from, and what it is judged on.

    Attributes:
        model: The directory of the acoustic model that it will stand behind.
        text: Segments.
        lexicon: How their words are pronounced, in the model's phones.
        train: The model's training speech, with texts: what phones are listened to in.
        dev: Utterances to choose the best epoch by.
        start: A model whose speller's weights training begins with; None begins with random ones.
    """

    model: Path
    text: Iterable[str]
    lexicon: Sequence[Pronunciation]
    train: Sequence[Utterance]
    dev: Sequence[Utterance]
    start: Checkpoint | None = None


@dataclass(frozen=True, slots=True)
class SpellingResources:
    """What a run may use, and whom it asks and tells; nothing of it changes the outcome.

    Attributes:
        max_feature_bytes: Room to keep features in while speech is listened to.
        must_stop: Asked after every step, and while listening, whether to save the state and end.
        on_heard: Told how many utterances were listened to, and how many there are.
    """

    max_feature_bytes: int
    must_stop: Callable[[], bool] = lambda: False
    on_heard: OnHeard = lambda n_done, n_all: None  # noqa: ARG005

    def listened(self, n_done: int, n_all: int | None) -> None:
        """Tell of it, and end the run if that is asked."""
        self.on_heard(n_done, n_all)
        if self.must_stop():
            raise StoppedError("stopped while listening; the same command begins again")


def train_speller(
    config: SpellingConfig,
    material: SpellingMaterial,
    output: Path,
    watcher: Watcher,
    provenance: Provenance,
    resources: SpellingResources,
) -> RunState:
    """Train a speller, or go on with its training; the model with the best one is put in place.

    Args:
        config: Everything that decides what is trained, and how.
        material: What it learns from.
        output: The model directory; made at the very end. `<output>.run` holds the state.
        watcher: Told of every step and epoch.
        provenance: For the model card.
        resources: What the run may use.

    Returns:
        Where the run ended.

    Raises:
        ConfigError: The model has no output of phones, or its texts are normalised otherwise; or
            the one to start with has no speller of this shape that reads the same phones.
        DataError: A text is missing, the dev set has no words, or the lexicon lacks the words of
            the training speech or of the text.
        TrainingError: Training cannot go on; the state on disk is from before.
        StoppedError: `resources.must_stop` said so; the state is saved.
        AudioError: A recording cannot be read.
        ModelError: `output` holds something that is no model, or the model is none.
    """
    check_replaceable(output)
    folder = output.with_name(output.name + ".run")
    folder.mkdir(parents=True, exist_ok=True)
    normalise = normaliser(config.text.normaliser)
    texts = normalised_texts(material.train, normalise)
    references = dev_references(material.dev, normalise)
    segments = [segment for segment in map(normalise, material.text) if segment]
    checkpoint = _without_speller(material.model, config)
    fingerprint = _fingerprint(config, checkpoint, segments, material)
    pronunciations = PhoneSpeller.from_entries(material.lexicon)
    with ThreadPoolExecutor(config.train.n_shards, "listener") as pool:
        memory = FeatureMemory(checkpoint.front_end, resources.max_feature_bytes)
        listener = _Listener(checkpoint, memory, Workers(ALONE, pool, config.train.n_shards))
        heard = HeardPhones.read(folder / HEARD_FILE, fingerprint)
        if heard is None:
            said = listener.said(texts, pronunciations)
            n_hearings = config.pronouncing.n_hearings
            heard = listener.listen(material.train, said, n_hearings, resources.listened)
            heard.write(folder / HEARD_FILE, fingerprint)
        dev = listener.overhear(material.dev)
        plain = listener.overhear(evenly(material.train, PRIOR_UTTERANCES))
    torch.manual_seed(config.pronouncing.seed)
    speller = _beginning(config, material.start, segments, listener.phones)
    text = PronounceableText.of(segments, listener.pronounceable(pronunciations, heard))
    trainer = Trainer(
        speller.model,
        PronouncedText(text, heard, speller.tokenizer, config.pronouncing, checkpoint.frame_shift),
        DevSet(dev, references, speller.tokenizer),
        config.train,
        config.optimiser,
        folder,
        fingerprint=fingerprint,
    )

    def save_best() -> None:
        best = dataclasses.replace(speller, model=trainer.judged)
        priors: dict[Output, Tensor] = {**checkpoint.priors}
        priors["text"] = estimate_priors(best.model, plain.batches(0))["text"]
        spelling = dataclasses.replace(checkpoint, speller=best, priors=priors)
        card = _card(best, trainer.state, len(text.text), material.model, provenance)
        save_checkpoint(folder / "best", spelling, card=card, example=read_example(material.model))

    state = trainer.run(watcher, save_best, resources.must_stop)
    copy_model(folder / "best", output)
    return state


@dataclass(frozen=True, slots=True)
class _Listener:
    """The acoustic model, and what it listens with."""

    checkpoint: Checkpoint
    memory: FeatureMemory
    workers: Workers

    @property
    def phones(self) -> TokenTable:
        assert self.checkpoint.phones
        return self.checkpoint.phones

    def said(self, texts: Mapping[str, str], spell: PhoneSpeller) -> dict[str, Said]:
        """Say texts word by word in the model's phones."""
        return {
            name: Said.of([self._numbers(spell.spell(word)) for word in text.split()])
            for name, text in texts.items()
        }

    def _numbers(self, phones: Sequence[str]) -> Integers:
        return np.array(self.phones.numbers(phones), np.int64)

    def listen(
        self,
        utterances: Sequence[Utterance],
        said: Mapping[str, Said],
        n_hearings: int,
        on_heard: OnHeard,
    ) -> HeardPhones:
        """Hear the training speech as it was trained on, all noise of training at full strength."""
        config = self.checkpoint.config
        batching = dataclasses.replace(config.batching, ramp_epochs=0, sorted_first=False)
        nothing: dict[str, list[int]] = {utterance.id: [] for utterance in utterances}
        data = TrainingData(
            utterances, {"text": nothing}, self.memory, batching, config.spec_augment
        )
        return listen(self.checkpoint.model, data, said, n_hearings, self.workers, on_heard)

    def overhear(self, utterances: Sequence[Utterance]) -> Overheard:
        """Hear speech as it was recorded."""
        data = as_recorded(utterances, self.memory, self.checkpoint.config.batching)
        return Overheard(self.checkpoint.model, data, self.workers)

    def pronounceable(self, spell: PhoneSpeller, heard: HeardPhones) -> dict[str, list[int]]:
        """Give the pronunciations of words of which all phones were heard."""
        ids = {phone: i for i, phone in enumerate(self.phones.tokens) if i in heard.phones}
        return {
            word: [ids[phone] for phone in phones]
            for word, phones in spell.pronunciations.items()
            if ids.keys() >= set(phones)
        }


def _without_speller(folder: Path, config: SpellingConfig) -> Checkpoint:
    """Load the acoustic model, without a speller that it may have, and all that goes with that."""
    checkpoint = load_checkpoint(folder)
    if checkpoint.phones is None:
        raise ConfigError(
            f"{folder} has no output of phones to spell by: train one with a lexicon and "
            "train.phone_weight"
        )
    theirs, own = checkpoint.config.text.normaliser, config.text.normaliser
    if theirs != own:
        raise ConfigError(f"text.normaliser must be the model's, {theirs!r}, got {own!r}")
    return dataclasses.replace(checkpoint, speller=None, calibrations={})


def _beginning(
    config: SpellingConfig, start: Checkpoint | None, segments: list[str], phones: TokenTable
) -> Speller:
    """Make the speller that training begins with: of another one's weights, or of random ones."""
    if start is None:
        some = segments[:: -(-len(segments) // TOKENIZER_SEGMENTS)]
        return build_speller(config, make_tokenizer(some, config.text), n_phones=len(phones))
    if start.speller is None or start.phones is None or start.phones.tokens != phones.tokens:
        raise ConfigError("the model to start with must have a speller that reads the same phones")
    refuse_other_shape(start.speller.config, config)
    speller = build_speller(config, start.speller.tokenizer, n_phones=len(phones))
    speller.model.load_state_dict(start.speller.model.state_dict())
    return speller


def _fingerprint(
    config: SpellingConfig, checkpoint: Checkpoint, segments: list[str], material: SpellingMaterial
) -> str:
    """Name what must be the same when a run is gone on with; the audio may lie elsewhere."""
    speech = [without_folders(part) for part in (material.train, material.dev)]
    fingerprint = hashlib.sha256(f"{to_toml(config)}{speech}{material.lexicon}".encode())
    fingerprint.update(safetensors.torch.save(checkpoint.model.state_dict()))
    if material.start and material.start.speller:
        fingerprint.update(safetensors.torch.save(material.start.speller.model.state_dict()))
    fingerprint.update("\n".join(segments).encode("utf-8", "surrogatepass"))
    return fingerprint.hexdigest()


def _card(
    speller: Speller, state: RunState, n_words: int, model_folder: Path, provenance: Provenance
) -> str:
    """Write about the speller below what the card says of the acoustic model."""
    model, text = speller.config.model, speller.config.text
    units = "pieces of words" if text.units == "bpe" else "characters"
    directions = "bidirectional" if model.bidirectional else "one-directional"
    card = (model_folder / CARD_FILE).read_text(encoding="utf-8").partition(SECTION)[0]
    return f"""\
{card.rstrip()}

{SECTION}

| | |
|---|---|
| what it is | {model.n_layers} {directions} {model.cell.upper()} layers of {model.size} units, \
trained with CTC: from phones as heard to {len(speller.tokenizer)} {units} |
| trained on | {n_words:,} words of text, pronounced by a lexicon, heard as the training speech |
| dev WER | {100 * state.best_wer:.2f} % (greedy, epoch {state.best_epoch}) |
| configuration | {config_hash(speller.config)} |
{provenance.rows}
"""
