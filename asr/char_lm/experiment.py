"""Experiment with a language model: texts and a configuration become a model directory."""

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path

import torch

from asr.char_lm.characters import END_ID, CharacterTable
from asr.char_lm.language_model import LanguageModel, build_language_model, save_language_model
from asr.char_lm.loop import DevText, LanguageTrainer
from asr.char_lm.progress import LanguageRunState, LanguageWatcher
from asr.char_lm.streams import Streams
from asr.checkpoint.directory import check_replaceable, copy_model
from asr.config import LanguageConfig, config_hash, to_toml
from asr.errors import DataError
from asr.provenance import Provenance
from asr.text.normalise import normaliser


def train_language_model(
    config: LanguageConfig,
    text: Iterable[str],
    dev: Iterable[str],
    output: Path,
    watcher: LanguageWatcher,
    provenance: Provenance,
    must_stop: Callable[[], bool] = lambda: False,
) -> LanguageRunState:
    """Train a language model, or go on with its training, and put the best one in place.

    Args:
        config: Everything that decides what is trained, and how.
        text: Segments to learn from, in an order that makes sense: what precedes one is remembered.
        dev: Segments to choose the best model by.
        output: The model directory; made at the very end. `<output>.run` holds the state.
        watcher: Told of every update and validation.
        provenance: For the model card.
        must_stop: Asked after every update whether to save the state and end.

    Returns:
        Where the run ended.

    Raises:
        DataError: A text is empty or too short, or the dev text has a character that the other
            lacks.
        TrainingError: Training cannot go on; the state on disk is from before.
        StoppedError: `must_stop` said so; the state is saved.
        ModelError: `output` holds something that is no model.
    """
    check_replaceable(output)
    folder = output.with_name(output.name + ".run")
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(config.train.seed)
    segments, dev_segments = _normalised(text, config), _normalised(dev, config)
    table = CharacterTable.of(segments)
    table.encode(dev_segments)  # refuses an unknown character now, not after hours
    ids = torch.from_numpy(table.encode(segments))
    language_model = build_language_model(config, table)
    trainer = LanguageTrainer(
        language_model.model,
        Streams(torch.cat([ids.new_tensor([END_ID]), ids]), config.streams),
        DevText(table, dev_segments),
        config.train,
        config.optimiser,
        folder,
        fingerprint=_fingerprint(config, segments, dev_segments),
    )

    def save_best() -> None:
        card = _card(language_model, trainer, len(ids), provenance)
        save_language_model(folder / "best", language_model, card=card)

    state = trainer.run(watcher, save_best, must_stop)
    copy_model(folder / "best", output)
    return state


def _normalised(text: Iterable[str], config: LanguageConfig) -> list[str]:
    segments = [segment for segment in map(normaliser(config.normaliser), text) if segment]
    if not segments:
        raise DataError("training needs a text and a dev text, got one without a word")
    return segments


def _fingerprint(config: LanguageConfig, *texts: list[str]) -> str:
    """Name what must be the same when a run is gone on with."""
    fingerprint = hashlib.sha256(to_toml(config).encode())
    for segments in texts:
        fingerprint.update(f"{len(segments)}\n".encode())
        fingerprint.update("\n".join(segments).encode("utf-8", "surrogatepass"))
    return fingerprint.hexdigest()


def _card(
    language_model: LanguageModel, trainer: LanguageTrainer, n_ids: int, provenance: Provenance
) -> str:
    config, state = language_model.config, trainer.state
    model, n_read = config.model, state.best_step / len(trainer.streams)
    return f"""\
# Model card

| | |
|---|---|
| what it is | language model over {len(language_model.table)} characters, the end of a segment \
included: {model.n_layers} {model.cell.upper()} layers of {model.size} units |
| text | as the normaliser {config.normaliser} spells it |
| trained on | {n_ids:,} characters, read {n_read:.2f} times |
| dev text | {state.best_bits:.4f} bits per character |
| configuration | {config_hash(config)} |
{provenance.rows}
"""
