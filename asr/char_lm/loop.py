"""The language model's loop: chunk → step → validate → keep the best → save the state."""

import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import torch

from asr.char_lm.characters import CharacterTable
from asr.char_lm.network import CharacterModel
from asr.char_lm.progress import (
    ChunkReport,
    LanguageRunState,
    LanguageWatcher,
    ValidationReport,
)
from asr.char_lm.scores import character_perplexity
from asr.char_lm.step import Chunk, language_step
from asr.char_lm.streams import Streams
from asr.errors import ConfigError, StoppedError
from asr.train.loop import STATE_FILE
from asr.train.optimiser import OptimiserConfig, adamw, learning_rate_at
from asr.train.precision import PRECISIONS, usable_precision
from asr.train.state import load_state, save_state

LN_2 = math.log(2.0)


@dataclass(frozen=True, slots=True)
class LanguageTrainConfig:
    """How long a run goes, and how carefully.

    Attributes:
        n_epochs: Passes over the text, possibly a fraction.
        n_validations: How often the dev text is scored, evenly over the run, at its end at last.
        precision: "float32", or "bfloat16" for matrix products in bfloat16 (weights stay float32)
            where the processor has an LSTM in it.
        n_shards: Parts of the streams that are computed side by side, each by a thread.
        checkpoint_minutes: A run that is killed loses at most this much work.
        seed: Of the weights and the dropout.
    """

    n_epochs: float
    n_validations: int
    precision: str
    n_shards: int
    checkpoint_minutes: float
    seed: int

    def __post_init__(self) -> None:
        """Refuse values that cannot train."""
        if self.precision not in PRECISIONS:
            raise ConfigError(
                f"train.precision must be one of {sorted(PRECISIONS)}, got {self.precision!r}"
            )
        for name in ("n_validations", "n_shards"):
            if getattr(self, name) < 1:
                raise ConfigError(f"train.{name} must be at least 1, got {getattr(self, name)}")
        if not self.n_epochs > 0:
            raise ConfigError(f"train.n_epochs must be positive, got {self.n_epochs}")


@dataclass(frozen=True, slots=True)
class DevText:
    """What a model is judged on while it trains: normalised segments, each read alone."""

    table: CharacterTable
    segments: Sequence[str]


class LanguageTrainer:
    """A run in a folder: begun there, or gone on with where its state says it stood.

    Args:
        model: Trained in place.
        streams: The training text.
        dev: The dev text, for the choice of the best model.
        config: Length and precision.
        optimiser_config: How far each update goes.
        folder: Holds the training state.
        fingerprint: Stands for everything that must be equal when a run is gone on with.
    """

    def __init__(
        self,
        model: CharacterModel,
        streams: Streams,
        dev: DevText,
        config: LanguageTrainConfig,
        optimiser_config: OptimiserConfig,
        folder: Path,
        fingerprint: str,
    ) -> None:
        self.model, self.streams, self.dev = model, streams, dev
        self.config, self.optimiser_config = config, optimiser_config
        self.n_steps = max(1, round(config.n_epochs * len(streams)))
        self._precision = usable_precision(config.precision, torch.device("cpu"))
        self.optimiser = adamw(model, optimiser_config)
        self.carried = model.start(streams.config.n_streams)
        self.state_path = folder / STATE_FILE
        self.state = LanguageRunState(fingerprint=fingerprint)
        if self.state_path.exists():
            self.state = load_state(
                self.state_path, self.state, {"model": model}, self.optimiser, self.carried
            )
        self._clock = self._saved = time.monotonic()

    def run(
        self,
        watcher: LanguageWatcher,
        save_best: Callable[[], None],
        must_stop: Callable[[], bool],
    ) -> LanguageRunState:
        """Train to the end.

        Args:
            watcher: Told of every update and validation.
            save_best: Called whenever the model as it is predicts the dev text best so far.
            must_stop: Asked after every update whether to end early.

        Raises:
            StoppedError: `must_stop` said so. The state is saved.
            TrainingError: A loss or gradient is not finite. The state on disk is from before.
        """
        with ThreadPoolExecutor(self.config.n_shards, "shard") as pool:
            while self.state.step < self.n_steps:
                watcher.on_chunk(self._update(pool))
                if self._is_validation():
                    report = self._validate(pool)
                    if report.is_best:
                        save_best()
                    self._save_state()
                    watcher.on_validation(report)
                elif time.monotonic() - self._saved > 60.0 * self.config.checkpoint_minutes:
                    self._save_state()
                if must_stop():
                    self._save_state()
                    raise StoppedError(
                        f"stopped after update {self.state.step} of {self.n_steps}; the state is "
                        "saved, and the same command goes on from there"
                    )
        return self.state

    def _update(self, pool: ThreadPoolExecutor) -> ChunkReport:
        """Read the next chunk; behind the text's end begin it anew, knowing nothing."""
        run, config = self.state, self.config
        number = run.step % len(self.streams)
        if number == 0:
            self.carried.zero_()
        inputs, targets = self.streams.chunk(number)
        generator = torch.Generator().manual_seed((config.seed << 32) + run.step)
        dropout = self.model.draw_dropout(len(inputs), generator)
        rate = learning_rate_at(
            (run.step + 1) / len(self.streams), config.n_epochs, self.optimiser_config
        )
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        result = language_step(
            self.model,
            self.optimiser,
            Chunk(inputs, targets, self.carried, dropout),
            precision=self._precision,
            max_gradient_norm=self.optimiser_config.max_gradient_norm,
            pool=pool,
            n_shards=config.n_shards,
        )
        self.carried.copy_(result.state)
        run.step, run.n_losses, run.loss = run.step + 1, run.n_losses + 1, run.loss + result.loss
        return ChunkReport(run.step, self.n_steps, targets.numel(), result.loss / LN_2)

    def _is_validation(self) -> bool:
        """Tell whether the update that was just made is the last one in front of a validation."""
        step, n_validations = self.state.step, self.config.n_validations
        return step * n_validations // self.n_steps > (step - 1) * n_validations // self.n_steps

    def _validate(self, pool: ThreadPoolExecutor) -> ValidationReport:
        """Score the dev text, and note whether no model before did better."""
        run, dev = self.state, self.dev
        perplexity = character_perplexity(self.model, dev.table, dev.segments, pool.map)
        bits = perplexity.bits_per_character
        is_best = bits < run.best_bits
        if is_best:
            run.best_bits, run.best_step = bits, run.step
        loss, epoch = run.loss / run.n_losses / LN_2, run.step / len(self.streams)
        run.loss, run.n_losses = 0.0, 0
        return ValidationReport(run.step, epoch, loss, perplexity, is_best, self._seconds())

    def _seconds(self) -> float:
        return self.state.seconds + time.monotonic() - self._clock

    def _save_state(self) -> None:
        self.state.seconds = self._seconds()
        self._clock = self._saved = time.monotonic()
        save_state(self.state_path, self.state, {"model": self.model}, self.optimiser, self.carried)
