"""Experiment: two manifests and a configuration become a model directory."""

import dataclasses
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import safetensors.torch
import torch

from asr.checkpoint.card import provenance_rows
from asr.checkpoint.directory import WEIGHTS_FILE, check_replaceable, read_card
from asr.checkpoint.golden import read_example, swelling_noise
from asr.checkpoint.network import (
    Checkpoint,
    build,
    load_checkpoint,
    save_checkpoint,
    start_from,
)
from asr.checkpoint.trained_on import Speech
from asr.config import TEXT_HEAD, Config, config_hash, to_toml
from asr.corpus.damage import Damage
from asr.corpus.feature_cache import FeatureCache
from asr.corpus.loader import prefetch
from asr.corpus.utterance import Utterance, evenly
from asr.errors import ConfigError, DataError, shortened
from asr.features.cmvn import corpus_statistics
from asr.lexicon.phone_set import phone_of_each
from asr.lexicon.phone_spelling import PhoneSpeller
from asr.lexicon.read import Pronunciation
from asr.provenance import Provenance
from asr.text.markdown import escape
from asr.text.normalise import normaliser
from asr.text.tokenizer import Tokenizer, make_tokenizer
from asr.text.tokens import TokenTable
from asr.train.data import TrainingData, normalised_texts
from asr.train.loop import Procedure, Trainer
from asr.train.objective import LossTerm, make_terms
from asr.train.origin import Origin, begin_or_go_on, hashes
from asr.train.priors import PRIOR_UTTERANCES, estimate_priors
from asr.train.progress import Watcher
from asr.train.ranks import ALONE, Ranks
from asr.train.run import run_folder, sole_training
from asr.train.state import STATE_FILE, RunState
from asr.train.validation import DevSet

START = "start"  # in the folder of a run: the model before its first update
CMVN_UTTERANCES = 2000  # evenly spread over the manifest; more change no digit that matters

Tokens = dict[str, list[int]]  # token ids by utterance id


@dataclass(frozen=True, slots=True)
class Material:
    """What a model learns from, and what it is validated on.

    Attributes:
        train: Utterances with texts and durations.
        dev: Utterances to choose the best epoch by; None: the last epoch is kept.
        lexicon: How the words of the texts are pronounced; required if the configuration has a head
            of phones, refused if not.
        start: A model from whose weights training starts; None starts from random ones.
        max_damaged: Recordings that may turn out unreadable; training does without them, and in the
            dev set their words count as deleted.
        source: Where `train` is from, for the model's card and for reports.
    """

    train: Sequence[Utterance]
    dev: Sequence[Utterance] | None
    lexicon: Sequence[Pronunciation] | None = None
    start: Checkpoint | None = None
    max_damaged: int = 0
    source: str = "a manifest"


@dataclass(frozen=True, slots=True)
class Resources:
    """What a run may use: this changes its speed and the rounding of its sums.

    Attributes:
        max_feature_bytes: Greatest size of the cache of features.
        ranks: The processes that train together, and the device of this one.
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
    """Train a model, or resume its training, and put that of the best epoch in place.

    Args:
        config: Everything that decides what is trained, and how.
        material: What it learns from.
        output: The model directory; made at the very end. `<output>.run` holds the state.
        watcher: Receives a report of every step and epoch.
        provenance: For the model card.
        resources: What the run may use. Of several ranks, the first one writes all files.

    Returns:
        Where the run ended.

    Raises:
        DataError: Texts or durations are missing, the dev set has no words, or a text has a
            character without a token or a word without a pronunciation.
        ConfigError: A head of phones has no lexicon, or the reverse; or the model to start from
            is not the one that the configuration asks for.
        TrainingError: Training cannot go on; the state on disk is from before.
        StoppedError: `resources.must_stop` returned True; the state is saved.
        AudioError: More recordings cannot be read than may be damaged.
        ModelError: `output` holds something that is not a model.
    """
    check_replaceable(output)
    folder, ranks, train = run_folder(output), resources.ranks, material.train
    with sole_training(folder, ranks):
        texts = normalised_texts(train, normaliser(config.text.normaliser))
        origin = begin_or_go_on(folder, _origin(config, material), writes=ranks.is_first)
        speller = _phone_speller(config, material)
        damage = Damage(material.max_damaged)
        begun = _begun(folder, config) or _start(config, material, texts, speller, damage)
        _keep_start(folder, begun, ranks)
        checkpoint = _with_speech(begun, material)
        tokens = _tokens(checkpoint, texts, speller)
        cache = FeatureCache(checkpoint.front_end, resources.max_feature_bytes, damage)
        trainer = Trainer(
            checkpoint.model,
            _training_data(checkpoint, material, tokens, cache, ranks),
            _dev_set(checkpoint, material.dev, cache, ranks) if material.dev is not None else None,
            Procedure(_terms(checkpoint, tokens), config.train, config.optimiser),
            folder,
            fingerprint=origin.fingerprint,
        )

        def save_best() -> None:
            best = dataclasses.replace(checkpoint, model=trainer.kept_model)
            _save(folder / "best", best, _card(best, trainer.state, provenance))

        state = trainer.run(watcher, save_best, resources.must_stop)
        if ranks.is_first:
            _hand_over(folder / "best", output, cache, train)
        return state


def _origin(config: Config, material: Material) -> Origin:
    """Say what a run begins with, which must be the same when it goes on."""
    start, lexicon = material.start, material.lexicon
    weights = safetensors.torch.save(start.model.state_dict()) if start else b""
    return Origin(
        config=to_toml(config),
        start=hashlib.sha256(weights).hexdigest() if start else "",
        lexicon=hashlib.sha256(repr(list(lexicon)).encode()).hexdigest() if lexicon else "",
        train=hashes(material.train),
        dev=hashes(material.dev or ()),
    )


def _begun(folder: Path, config: Config) -> Checkpoint | None:
    """Read the model that the run in a folder began with: utterances may have gone since."""
    start = folder / START
    if not (folder / STATE_FILE).exists() or not start.exists():
        return None
    return start_from(load_checkpoint(start), config)


def _keep_start(folder: Path, checkpoint: Checkpoint, ranks: Ranks) -> None:
    """Keep the model that a run begins with, unless it has begun."""
    if ranks.is_first and not (folder / STATE_FILE).exists():
        _save(folder / START, checkpoint, "# Before training\n")


def _save(folder: Path, checkpoint: Checkpoint, card: str) -> None:
    example = swelling_noise(checkpoint.config.features.sample_rate)
    save_checkpoint(folder, checkpoint, card=card, example=example)


def _start(
    config: Config,
    material: Material,
    texts: Mapping[str, str],
    speller: PhoneSpeller | None,
    damage: Damage,
) -> Checkpoint:
    """Make the model that training starts from: with another one's weights, or random ones."""
    torch.manual_seed(config.batching.seed)
    if material.start:
        return start_from(material.start, config)
    tokenizers: dict[str, Tokenizer] = {}
    for name, head in config.heads.items():
        if head.units == "phones":
            assert speller is not None
            tokenizers[name] = speller.table()
        else:
            tokenizers[name] = make_tokenizer(list(texts.values()), head)
    checkpoint = build(config, tokenizers)
    if config.features.cmvn == "global":
        features_of = FeatureCache(checkpoint.front_end, max_bytes=0, damage=damage).features
        some = evenly(material.train, CMVN_UTTERANCES)
        statistics = corpus_statistics(prefetch(features_of, some, depth=8))
        checkpoint.front_end.set_global_cmvn(statistics.mean, statistics.std)
    return checkpoint


def _with_speech(checkpoint: Checkpoint, material: Material) -> Checkpoint:
    """Add the speech of this training to what the model was trained on before."""
    hours = sum(utterance.duration or 0.0 for utterance in material.train) / 3600
    speech = Speech(material.source, len(material.train), round(hours, 4))
    trained_on = checkpoint.directory.trained_on.then(speech)
    directory = dataclasses.replace(checkpoint.directory, trained_on=trained_on)
    return dataclasses.replace(checkpoint, directory=directory)


def _terms(checkpoint: Checkpoint, tokens: Mapping[str, Tokens]) -> list[LossTerm]:
    """Make the losses that the configuration lists."""
    return make_terms(
        checkpoint.config.objective,
        {head: own.values() for head, own in tokens.items()},
        {head: len(own) for head, own in checkpoint.directory.tokenizers.items()},
    )


def _training_data(
    checkpoint: Checkpoint,
    material: Material,
    tokens: Mapping[str, Tokens],
    cache: FeatureCache,
    ranks: Ranks,
) -> TrainingData:
    """Batch and vary what is learned from."""
    config, tokenizers = checkpoint.config, checkpoint.directory.tokenizers
    joints = {head: tokenizer.joint for head, tokenizer in tokenizers.items()}
    return TrainingData(
        material.train, tokens, joints, cache, config.batching, config.augment, ranks
    )


def _dev_set(
    checkpoint: Checkpoint, dev: Sequence[Utterance], cache: FeatureCache, ranks: Ranks
) -> DevSet:
    """Batch the dev set as recorded, with the tokens of the texts that can be spelled."""
    config = checkpoint.config
    tokenizer = checkpoint.directory.tokenizers[TEXT_HEAD]
    references = normalised_texts(dev, normaliser(config.text.normaliser))
    if not any(references.values()):
        raise DataError("the dev set has no words, without which there is no WER to choose by")
    tokens = {name: _spelled_or_empty(tokenizer, text) for name, text in references.items()}
    data = TrainingData(dev, {TEXT_HEAD: tokens}, {}, cache, config.batching, ranks=ranks)
    return DevSet(data, references, tokenizer)


def _spelled_or_empty(tokenizer: Tokenizer, text: str) -> list[int]:
    """Encode a text; one with a character without a token counts in the WER, not in the loss."""
    try:
        return tokenizer.encode(text)
    except DataError:
        return []


def _hand_over(best: Path, output: Path, cache: FeatureCache, train: Sequence[Utterance]) -> None:
    """Put the best model in place, with the priors of its tokens, unless it is there already."""
    weights, best_weights = output / WEIGHTS_FILE, best / WEIGHTS_FILE
    if weights.exists() and weights.read_bytes() == best_weights.read_bytes():
        return  # what was exported, tuned or calibrated in it since stays
    checkpoint = load_checkpoint(best)
    some, batching = evenly(train, PRIOR_UTTERANCES), checkpoint.config.batching
    data = TrainingData(some, {}, {}, cache, batching)
    priors = estimate_priors(checkpoint.model, data.batches(0))
    directory = dataclasses.replace(
        checkpoint.directory, priors={head: prior.numpy() for head, prior in priors.items()}
    )
    finished = dataclasses.replace(checkpoint, directory=directory)
    save_checkpoint(output, finished, card=read_card(best), example=read_example(best))


def _phone_speller(config: Config, material: Material) -> PhoneSpeller | None:
    heads, lexicon, start = config.phone_heads, material.lexicon, material.start
    if heads and lexicon is None:
        raise ConfigError(
            f"heads.{heads[0]} outputs phones and there is no lexicon: give one (`asr lexicon` "
            "makes it of a dictionary), or leave the head out"
        )
    if not heads and lexicon is not None:
        raise ConfigError('there is a lexicon and no head of phones: add one (units = "phones")')
    if lexicon is not None and start and heads[0] in start.directory.tokenizers:
        tokens = start.directory.tokenizers[heads[0]].tokens
        phone_of = phone_of_each({unit for _, units in lexicon for unit in units}, tokens)
        lexicon = [(word, tuple(phone_of[u] for u in units)) for word, units in lexicon]
    return None if lexicon is None else PhoneSpeller(lexicon)


def _tokens(
    checkpoint: Checkpoint, texts: Mapping[str, str], speller: PhoneSpeller | None
) -> dict[str, Tokens]:
    """Spell the texts in the tokens of each head."""
    tokens: dict[str, Tokens] = {head: {} for head in checkpoint.config.heads}
    refused: dict[str, DataError] = {}
    for head, own in tokens.items():
        tokenizer = checkpoint.directory.tokenizers[head]
        phones = speller if checkpoint.config.heads[head].units == "phones" else None
        for name, text in texts.items():
            try:
                own[name] = _encoded(text, tokenizer, phones)
            except DataError as error:
                refused[name] = error
    if refused:
        first, *others = refused
        more = f"; so it is with {len(others)} more: {shortened(others)}" if others else ""
        raise DataError(f"utterance {first}: {refused[first]}{more}") from refused[first]
    return tokens


def _encoded(text: str, tokenizer: Tokenizer, phones: PhoneSpeller | None) -> list[int]:
    if phones is None:
        return tokenizer.encode(text)
    assert isinstance(tokenizer, TokenTable)
    return tokenizer.ids_of(phones.spell(text))


def _card(checkpoint: Checkpoint, state: RunState, provenance: Provenance) -> str:
    config = checkpoint.config
    model = config.model
    heads = ", ".join(f"{name} ({head.units})" for name, head in config.heads.items())
    losses = ", ".join(f"{term.loss} of {name}" for name, term in config.objective.items())
    directions = "bidirectional" if model.bidirectional else "one-directional"
    wer = f"not measured: the last of {state.epoch} epochs"
    if state.best_epoch:
        wer = f"{100 * state.best_wer:.2f} % (greedy, epoch {state.best_epoch})"
    return f"""\
# Model card

| | |
|---|---|
| what it is | {model.n_layers} {directions} {model.cell.upper()} layers of {model.size} units |
| heads | {heads}; text as the normaliser {config.text.normaliser} spells it |
| trained by | {losses} |
| trained on | {escape(str(checkpoint.directory.trained_on))} |
| dev WER | {wer} |
| configuration | {config_hash(config)} |
{provenance_rows(provenance)}
"""
