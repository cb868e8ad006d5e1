"""Experiment: texts and a configuration become the directory of a language model."""

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path

import torch

from asr.char_lm.characters import END_ID, CharacterTable
from asr.char_lm.config import LanguageConfig
from asr.char_lm.language_model import (
    build_language_model,
    load_language_model,
    save_language_model,
)
from asr.char_lm.loop import LanguageTrainer
from asr.char_lm.progress import LanguageRunState, LanguageWatcher
from asr.char_lm.streams import Streams
from asr.checkpoint.card import provenance_rows
from asr.checkpoint.directory import check_replaceable, read_card
from asr.config import config_hash, to_toml
from asr.errors import DataError
from asr.provenance import Provenance
from asr.text.normalise import normaliser
from asr.train.run import run_folder, sole_training


def train_language_model(
    config: LanguageConfig,
    text: Iterable[str],
    dev: Iterable[str],
    output: Path,
    watcher: LanguageWatcher,
    provenance: Provenance,
    must_stop: Callable[[], bool] = lambda: False,
) -> LanguageRunState:
    """Train a language model, or resume its training, and put the best one in place.

    Args:
        config: Everything that decides what is trained, and how.
        text: Segments to learn from, in their natural order, which the model reads as one text.
        dev: Segments to choose the best model by.
        output: The model directory; made at the very end. `<output>.run` holds the state.
        watcher: Receives a report of every update and validation.
        provenance: For the model card.
        must_stop: Asked after every update whether to save the state and end.

    Returns:
        Where the run ended.

    Raises:
        DataError: A text is empty or too short, or the dev text has a character that the other
            lacks.
        TrainingError: Training cannot go on; the state on disk is from before.
        StoppedError: `must_stop` returned True; the state is saved.
        ModelError: `output` holds something that is not a model.
    """
    check_replaceable(output)
    folder = run_folder(output)
    with sole_training(folder):
        torch.manual_seed(config.train.seed)
        segments, dev_segments = _normalised(text, config), _normalised(dev, config)
        table = CharacterTable.of(segments)
        table.encode(dev_segments)  # refuses an unknown character now, not after hours
        ids = torch.from_numpy(table.encode(segments))
        language_model = build_language_model(config, table)
        trainer = LanguageTrainer(
            language_model,
            Streams(torch.cat([ids.new_tensor([END_ID]), ids]), config.streams),
            dev_segments,
            folder,
            fingerprint=_fingerprint(config, segments, dev_segments),
        )
        best = folder / "best"

        def save_best() -> None:
            card = _card(trainer, len(ids), provenance)
            save_language_model(best, language_model, card=card)

        state = trainer.run(watcher, save_best, must_stop)
        save_language_model(output, load_language_model(best), card=read_card(best))
        return state


def _normalised(text: Iterable[str], config: LanguageConfig) -> list[str]:
    segments = [segment for segment in map(normaliser(config.normaliser), text) if segment]
    if not segments:
        raise DataError("expected a text and a dev text, got one without words")
    return segments


def _fingerprint(config: LanguageConfig, *texts: list[str]) -> str:
    """Hash what must be the same when a run is resumed."""
    fingerprint = hashlib.sha256(to_toml(config).encode())
    for segments in texts:
        fingerprint.update(f"{len(segments)}\n".encode())
        fingerprint.update("\n".join(segments).encode("utf-8", "surrogatepass"))
    return fingerprint.hexdigest()


def _card(trainer: LanguageTrainer, n_ids: int, provenance: Provenance) -> str:
    config, state = trainer.config, trainer.state
    model, epochs = config.model, state.best_step / len(trainer.streams)
    return f"""\
# Model card

| | |
|---|---|
| what it is | language model over {len(trainer.language_model.table)} characters, \
the end of a segment included: {model.n_layers} {model.cell.upper()} layers of {model.size} units |
| text | as the normaliser {config.normaliser} spells it |
| trained on | {n_ids:,} characters, {epochs:.2f} passes |
| dev text | {state.best_bits:.4f} bits per character |
| configuration | {config_hash(config)} |
{provenance_rows(provenance)}
"""
