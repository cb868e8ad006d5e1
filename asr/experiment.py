"""Experiment: two manifests and a configuration become a model directory."""

import dataclasses
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor

from asr.checkpoint.directory import CARD_FILE, check_replaceable
from asr.checkpoint.network import (
    Checkpoint,
    begin_with,
    build,
    load_checkpoint,
    read_example,
    save_checkpoint,
)
from asr.config import Config, config_hash, to_toml
from asr.corpus.feature_cache import FeatureMemory
from asr.corpus.statistics import corpus_statistics
from asr.corpus.utterance import Utterance, without_folders
from asr.errors import ConfigError, DataError
from asr.features.front_end import FrontEnd
from asr.lexicon.pronunciations import PhoneSpeller, Pronunciation
from asr.model.acoustic import Output
from asr.model.dense_trigram import dense_trigram
from asr.provenance import Provenance
from asr.text.normalise import normaliser
from asr.text.tokenizer import make_tokenizer
from asr.train.data import TrainingData, as_recorded, dev_references, evenly, normalised_texts
from asr.train.loop import DevSet, Trainer
from asr.train.priors import PRIOR_UTTERANCES, estimate_priors
from asr.train.progress import Watcher
from asr.train.ranks import ALONE, Ranks
from asr.train.state import RunState

CMVN_UTTERANCES = 2000  # evenly spread over the manifest; more change no digit that matters
EXAMPLE_SECONDS = 2.0

Targets = dict[Output, dict[str, list[int]]]  # token ids by utterance id


@dataclass(frozen=True, slots=True)
class Material:
    """What a model learns from, and what it is judged on.

    Attributes:
        train: Utterances with texts and durations.
        dev: Utterances to choose the best epoch by; None keeps the last one.
        lexicon: How the words of the texts are pronounced; there must be one if the configuration
            gives phones a weight, and none else.
        start: A model whose weights training begins with; None begins with random ones.
    """

    train: Sequence[Utterance]
    dev: Sequence[Utterance] | None
    lexicon: Sequence[Pronunciation] | None = None
    start: Checkpoint | None = None


@dataclass(frozen=True, slots=True)
class Resources:
    """What a run may use; it changes the time that a run takes and the rounding of sums.

    Attributes:
        max_feature_bytes: Room to keep features in from one epoch to the next.
        ranks: The processes that train together, of which this is one, and its device.
        must_stop: Asked after every step whether to save the state and end.
    """

    max_feature_bytes: int
    ranks: Ranks = ALONE
    must_stop: Callable[[], bool] = lambda: False


def train_model(
    config: Config,
    material: Material,
    output: Path,
    watcher: Watcher,
    provenance: Provenance,
    resources: Resources,
) -> RunState:
    """Train a model, or go on with its training, and put the best epoch's in place.

    Args:
        config: Everything that decides what is trained, and how.
        material: What it learns from.
        output: The model directory; made at the very end. `<output>.run` holds the state.
        watcher: Told of every step and epoch.
        provenance: For the model card.
        resources: What the run may use. Of several ranks, the first one writes all files.

    Returns:
        Where the run ended.

    Raises:
        DataError: Texts or durations are missing, the dev set has no words, or a text has a
            character without a token or a word without a pronunciation.
        ConfigError: Phones have a weight and there is no lexicon, or the reverse; or the model to
            start with is another one than the configuration asks for.
        TrainingError: Training cannot go on; the state on disk is from before.
        StoppedError: `resources.must_stop` said so; the state is saved.
        AudioError: A recording cannot be read.
        ModelError: `output` holds something that is no model.
    """
    check_replaceable(output)
    folder = output.with_name(output.name + ".run")
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(config.batching.seed)
    train, dev = material.train, material.dev
    normalise = normaliser(config.text.normaliser)
    texts = normalised_texts(train, normalise)
    references = None if dev is None else dev_references(dev, normalise)
    speller = _phone_speller(config, material.lexicon)
    checkpoint = _beginning(config, material, list(texts.values()), speller)
    memory = FeatureMemory(checkpoint.front_end, resources.max_feature_bytes)
    ranks = resources.ranks
    targets = _targets(checkpoint, texts, speller)
    trainer = Trainer(
        checkpoint.model,
        _training_data(checkpoint, memory, train, targets, ranks),
        DevSet(as_recorded(dev, memory, config.batching, ranks), references, checkpoint.tokenizer)
        if dev and references
        else None,
        config.train,
        config.optimiser,
        folder,
        fingerprint=_fingerprint(config, targets, material.start, train, dev or ()),
    )

    def save_best() -> None:
        card = _card(config, trainer.state, train, provenance)
        best = dataclasses.replace(checkpoint, model=trainer.judged)
        save_checkpoint(folder / "best", best, card=card, example=_example(config))

    state = trainer.run(watcher, save_best, resources.must_stop)
    if ranks.is_first:
        _hand_over(folder / "best", output, memory, train)
    return state


def _beginning(
    config: Config, material: Material, texts: list[str], speller: PhoneSpeller | None
) -> Checkpoint:
    """Make the model that training begins with: of another one's weights, or of random ones."""
    if material.start:
        return begin_with(material.start, config, has_phones=speller is not None)
    phones = speller.table() if speller else None
    checkpoint = build(config, make_tokenizer(texts, config.text), phones)
    _set_cmvn(checkpoint.front_end, material.train)
    return checkpoint


def _hand_over(best: Path, output: Path, memory: FeatureMemory, train: Sequence[Utterance]) -> None:
    """Put the best model in its place, with the priors of its tokens."""
    checkpoint = load_checkpoint(best)
    batching = checkpoint.config.batching
    data = as_recorded(evenly(train, PRIOR_UTTERANCES), memory, batching)
    priors = estimate_priors(checkpoint.model, data.batches(0))
    card = (best / CARD_FILE).read_text(encoding="utf-8")
    finished = dataclasses.replace(checkpoint, priors=priors)
    save_checkpoint(output, finished, card=card, example=read_example(best))


def _set_cmvn(front_end: FrontEnd, utterances: Sequence[Utterance]) -> None:
    """Estimate global CMVN, where the configuration asks for it."""
    if front_end.config.cmvn == "global":
        statistics = corpus_statistics(front_end, evenly(utterances, CMVN_UTTERANCES))
        front_end.set_global_cmvn(statistics.mean, statistics.std)


def _training_data(
    checkpoint: Checkpoint,
    memory: FeatureMemory,
    utterances: Sequence[Utterance],
    targets: Targets,
    ranks: Ranks,
) -> TrainingData:
    return TrainingData(
        utterances,
        targets,
        memory,
        checkpoint.config.batching,
        checkpoint.config.spec_augment,
        ranks,
        _phone_trigram(checkpoint, targets),
    )


def _phone_speller(config: Config, lexicon: Sequence[Pronunciation] | None) -> PhoneSpeller | None:
    weight = config.train.phone_weight
    if weight > 0 and lexicon is None:
        raise ConfigError(
            f"train.phone_weight is {weight:g} and there is no lexicon: give one (`asr lexicon` "
            "makes it of a dictionary), or set the weight to 0"
        )
    if weight == 0 and lexicon is not None:
        raise ConfigError("there is a lexicon, and train.phone_weight is 0: set it, or give none")
    return None if lexicon is None else PhoneSpeller.from_entries(lexicon)


def _targets(
    checkpoint: Checkpoint, texts: dict[str, str], speller: PhoneSpeller | None
) -> Targets:
    """Spell the texts in the tokens of each output."""
    targets: Targets = {"text": _encoded(checkpoint.tokenizer.encode, texts)}
    if speller is not None and checkpoint.phones is not None:
        numbers = checkpoint.phones.numbers
        targets["phones"] = _encoded(lambda text: numbers(speller.spell(text)), texts)
    return targets


def _phone_trigram(checkpoint: Checkpoint, targets: Targets) -> Tensor | None:
    """Learn how probable phones are behind one another, where sequences of them compete."""
    if checkpoint.phones is None or not checkpoint.config.train.crf_weight:
        return None
    sequences = targets["phones"].values()
    return torch.from_numpy(dense_trigram(sequences, len(checkpoint.phones.tokens)))


def _encoded(encode: Callable[[str], list[int]], texts: dict[str, str]) -> dict[str, list[int]]:
    encoded = {}
    for name, text in texts.items():
        try:
            encoded[name] = encode(text)
        except DataError as error:
            raise DataError(f"utterance {name}: {error}") from error
    return encoded


def _fingerprint(
    config: Config,
    targets: Targets,
    start: Checkpoint | None,
    *manifests: Sequence[Utterance],
) -> str:
    """Name what must be the same when a run is gone on with; the audio may lie elsewhere."""
    speech = [without_folders(utterances) for utterances in manifests]
    fingerprint = hashlib.sha256(f"{to_toml(config)}{speech}{targets}".encode())
    if start:
        fingerprint.update(safetensors.torch.save(start.model.state_dict()))
    return fingerprint.hexdigest()


def _example(config: Config) -> Tensor:
    """Make the waveform of the golden example: noise that swells, the same everywhere."""
    n_samples = round(EXAMPLE_SECONDS * config.features.sample_rate)
    noise = torch.randn(n_samples, generator=torch.Generator().manual_seed(0))
    return (noise * torch.linspace(0.001, 0.1, n_samples)).clamp(-1.0, 1.0)


def _card(
    config: Config, state: RunState, train: Sequence[Utterance], provenance: Provenance
) -> str:
    hours = sum(utterance.duration or 0.0 for utterance in train) / 3600
    model = config.model
    outputs = f"{config.text.units} tokens{' and phones' if config.train.phone_weight else ''}"
    directions = "bidirectional" if model.bidirectional else "one-directional"
    judged = f"not measured: the last of {state.epoch} epochs"
    if state.best_epoch:
        judged = f"{100 * state.best_wer:.2f} % (greedy, epoch {state.best_epoch})"
    return f"""\
# Model card

| | |
|---|---|
| what it is | {model.n_layers} {directions} {model.cell.upper()} layers of {model.size} units, \
trained with CTC |
| output | {outputs}, text as the normaliser {config.text.normaliser} spells it |
| trained on | {len(train)} utterances, {hours:.2f} hours |
| dev WER | {judged} |
| configuration | {config_hash(config)} |
{provenance.rows}
"""
