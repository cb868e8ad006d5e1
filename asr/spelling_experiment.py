"""Experiment with a speller: a model, its training speech and a text become a model that spells."""

import dataclasses
import hashlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import safetensors.torch
import torch

from asr.checkpoint import Checkpoint, load_checkpoint, read_example, save_checkpoint
from asr.config import SpellingConfig, config_hash, to_toml
from asr.corpus.feature_memory import FeatureMemory
from asr.corpus.utterance import Utterance
from asr.errors import ConfigError, DataError
from asr.model.acoustic import Output
from asr.model_files import CARD_FILE, check_replaceable, copy_model
from asr.provenance import Provenance
from asr.speller import Speller, build_speller
from asr.spelling.heard_phones import HeardPhones, Said
from asr.spelling.listening import Overheard, listen
from asr.spelling.pronounceable import PronounceableText
from asr.spelling.pronounced_text import PronouncedText
from asr.text.normalise import normaliser
from asr.text.pronunciations import PhoneSpeller, Pronunciation
from asr.text.tokenizer import make_tokenizer
from asr.train.data import TrainingData, as_recorded, evenly, normalised_texts
from asr.train.loop import DevSet, Trainer
from asr.train.priors import PRIOR_UTTERANCES, estimate_priors
from asr.train.progress import Watcher
from asr.train.ranks import ALONE
from asr.train.state import RunState
from asr.train.step import Workers

SECTION = "## Speller"  # of the model card
HEARD_FILE = "heard.safetensors"
TOKENIZER_SEGMENTS = 200_000  # evenly spread over the text; more change few pieces of words


@dataclass(frozen=True, slots=True)
class SpellingMaterial:
    """What a speller learns from, and what it is judged on.

    Attributes:
        model: The directory of the acoustic model that it will stand behind.
        text: Segments.
        lexicon: How their words are pronounced, in the model's phones.
        train: The model's training speech, with texts: what phones are listened to in.
        dev: Utterances to choose the best epoch by.
    """

    model: Path
    text: Iterable[str]
    lexicon: Sequence[Pronunciation]
    train: Sequence[Utterance]
    dev: Sequence[Utterance]


def train_speller(
    config: SpellingConfig,
    material: SpellingMaterial,
    output: Path,
    watcher: Watcher,
    provenance: Provenance,
    max_feature_bytes: int,
    must_stop: Callable[[], bool] = lambda: False,
) -> RunState:
    """Train a speller, or go on with its training; the model with the best one is put in place.

    Args:
        config: Everything that decides what is trained, and how.
        material: What it learns from.
        output: The model directory; made at the very end. `<output>.run` holds the state.
        watcher: Told of every step and epoch.
        provenance: For the model card.
        max_feature_bytes: Room to keep features in while speech is listened to.
        must_stop: Asked after every step whether to save the state and end.

    Returns:
        Where the run ended.

    Raises:
        ConfigError: The model has no output of phones, or its texts are normalised otherwise.
        DataError: A text is missing, the dev set has no words, or the lexicon lacks the words of
            the training speech or of the text.
        TrainingError: Training cannot go on; the state on disk is from before.
        StoppedError: `must_stop` said so; the state is saved.
        AudioError: A recording cannot be read.
        ModelError: `output` holds something that is no model, or the model is none.
    """
    check_replaceable(output)
    folder = output.with_name(output.name + ".run")
    folder.mkdir(parents=True, exist_ok=True)
    listener = _listener(config, material)
    normalise = normaliser(config.text.normaliser)
    dev_texts = normalised_texts(material.dev, normalise)
    if not any(dev_texts.values()):
        raise DataError("the dev set has no words, without which there is no WER to choose by")
    segments = [segment for segment in map(normalise, material.text) if segment]
    memory = FeatureMemory(listener.front_end, max_feature_bytes)
    fingerprint = _fingerprint(config, listener, segments, material)
    with ThreadPoolExecutor(config.train.n_shards, "listener") as pool:
        workers = Workers(ALONE, pool, config.train.n_shards)
        heard = _listen(
            config, listener, material, memory, workers, folder / HEARD_FILE, fingerprint
        )
        batching = listener.config.batching
        dev = Overheard(listener.model, as_recorded(material.dev, memory, batching), workers)
        some = evenly(material.train, PRIOR_UTTERANCES)
        plain = Overheard(listener.model, as_recorded(some, memory, batching), workers)
    torch.manual_seed(config.pronouncing.seed)
    every = -(-len(segments) // TOKENIZER_SEGMENTS)
    tokenizer = make_tokenizer(segments[::every], config.text)
    speller = build_speller(config, tokenizer, n_phones=len(listener.phones or ()))
    pronounceable = _pronounceable(segments, listener, heard, material.lexicon)
    trainer = Trainer(
        speller.model,
        PronouncedText(pronounceable, heard, tokenizer, config.pronouncing, listener.frame_shift),
        DevSet(dev, dev_texts, tokenizer),
        config.train,
        config.optimiser,
        folder,
        fingerprint=fingerprint,
    )

    def save_best() -> None:
        best = dataclasses.replace(speller, model=trainer.judged)
        card = _card(best, trainer.state, len(pronounceable.text), material, provenance)
        priors: dict[Output, torch.Tensor] = {**listener.priors}
        priors["text"] = estimate_priors(trainer.judged, plain.batches(0))["text"]
        spelling = dataclasses.replace(listener, speller=best, priors=priors)
        save_checkpoint(folder / "best", spelling, card=card, example=read_example(material.model))

    state = trainer.run(watcher, save_best, must_stop)
    copy_model(folder / "best", output)
    return state


def _listener(config: SpellingConfig, material: SpellingMaterial) -> Checkpoint:
    """Load the acoustic model, without a speller that it may have, and all that goes with that."""
    checkpoint = load_checkpoint(material.model)
    if checkpoint.phones is None:
        raise ConfigError(
            f"{material.model} has no output of phones to spell by: train one with a lexicon and "
            "train.phone_weight"
        )
    theirs, own = checkpoint.config.text.normaliser, config.text.normaliser
    if theirs != own:
        raise ConfigError(f"text.normaliser must be the model's, {theirs!r}, got {own!r}")
    return dataclasses.replace(checkpoint, speller=None, calibrations={})


def _listen(
    config: SpellingConfig,
    listener: Checkpoint,
    material: SpellingMaterial,
    memory: FeatureMemory,
    workers: Workers,
    kept: Path,
    fingerprint: str,
) -> HeardPhones:
    """Hear the training speech, or read what was heard when the run began."""
    if heard := HeardPhones.read(kept, fingerprint):
        return heard
    assert listener.phones
    texts = normalised_texts(material.train, normaliser(config.text.normaliser))
    spell, numbers = PhoneSpeller.from_entries(material.lexicon).spell, listener.phones.numbers
    said = {
        name: Said.of([np.array(numbers(spell(word)), np.int64) for word in text.split()])
        for name, text in texts.items()
    }
    batching = dataclasses.replace(listener.config.batching, ramp_epochs=0, sorted_first=False)
    nothing: dict[str, list[int]] = {name: [] for name in texts}
    data = TrainingData(
        material.train, {"text": nothing}, memory, batching, listener.config.spec_augment
    )
    heard = listen(listener.model, data, said, config.pronouncing.n_hearings, workers)
    heard.write(kept, fingerprint)
    return heard


def _pronounceable(
    segments: list[str],
    listener: Checkpoint,
    heard: HeardPhones,
    lexicon: Sequence[Pronunciation],
) -> PronounceableText:
    """Take what of the text can be said in phones that were heard, each word in one way."""
    assert listener.phones
    ids = {
        phone: number
        for number, phone in enumerate(listener.phones.tokens)
        if number in heard.phones
    }
    pronunciations = {
        word: [ids[phone] for phone in phones]
        for word, phones in PhoneSpeller.from_entries(lexicon).pronunciations.items()
        if ids.keys() >= set(phones)
    }
    return PronounceableText.of(segments, pronunciations)


def _fingerprint(
    config: SpellingConfig, listener: Checkpoint, segments: list[str], material: SpellingMaterial
) -> str:
    """Name what must be the same when a run is gone on with; the audio may lie elsewhere."""
    placeless = [
        [dataclasses.replace(u, audio_filepath=Path(u.audio_filepath.name)) for u in utterances]
        for utterances in (material.train, material.dev)
    ]
    fingerprint = hashlib.sha256(f"{to_toml(config)}{placeless}{material.lexicon}".encode())
    fingerprint.update(safetensors.torch.save(listener.model.state_dict()))
    fingerprint.update("\n".join(segments).encode("utf-8", "surrogatepass"))
    return fingerprint.hexdigest()


def _card(
    speller: Speller,
    state: RunState,
    n_words: int,
    material: SpellingMaterial,
    provenance: Provenance,
) -> str:
    """Write about the speller below what the card says of the acoustic model."""
    model, text = speller.config.model, speller.config.text
    units = "pieces of words" if text.units == "bpe" else "characters"
    directions = "bidirectional" if model.bidirectional else "one-directional"
    card = (material.model / CARD_FILE).read_text(encoding="utf-8").partition(SECTION)[0]
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
| command | `{provenance.command}` |
| commit | {provenance.commit or "unknown"} |
| hardware | {provenance.hardware} |
| versions | {provenance.versions} |
| begun | {provenance.time} |
"""
