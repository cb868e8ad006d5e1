"""The training loop: chunk → step → validate → keep the best → save the state."""

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch

from asr.char_lm.language_model import LanguageModel
from asr.char_lm.progress import ChunkReport, LanguageRunState, LanguageWatcher, ValidationReport
from asr.char_lm.step import Chunk, language_step
from asr.char_lm.streams import Streams
from asr.train.optimiser import adamw, learning_rate_at
from asr.train.precision import usable_precision
from asr.train.run import Run
from asr.train.shards import shard_threads

LN_2 = math.log(2.0)


class LanguageTrainer:
    """Trains a language model; started or resumed in a folder, see `asr.train.run.Run`.

    Args:
        language_model: Trained in place.
        streams: The training text.
        dev: The segments of the dev text.
        folder: Holds the training state.
        fingerprint: Stands for everything that must be equal when a run is resumed.

    Attributes:
        state: Where the run stands.
    """

    def __init__(
        self,
        language_model: LanguageModel,
        streams: Streams,
        dev: Sequence[str],
        folder: Path,
        fingerprint: str,
    ) -> None:
        self.language_model, self.streams, self.dev = language_model, streams, dev
        self.model, self.config = language_model.model, language_model.config
        self.n_steps = max(1, round(self.config.train.n_epochs * len(streams)))
        self._precision = usable_precision(self.config.train.precision, torch.device("cpu"))
        self.optimiser = adamw(self.model, self.config.optimiser)
        self.carried = self.model.start(streams.config.n_streams)
        self._run = Run(
            folder,
            LanguageRunState(fingerprint=fingerprint),
            {"model": self.model},
            self.optimiser,
            self.carried,
            checkpoint_minutes=self.config.train.checkpoint_minutes,
        )
        self.state = self._run.state

    def run(
        self,
        watcher: LanguageWatcher,
        save_best: Callable[[], None],
        must_stop: Callable[[], bool],
    ) -> LanguageRunState:
        """Train to the end; `save_best` is called when the dev text is predicted best so far.

        Raises:
            StoppedError: `must_stop` returned True. The state is saved.
            TrainingError: A loss or gradient is not finite. The state on disk is from before.
        """
        with shard_threads(self.config.train.n_shards) as pool:
            while self.state.step < self.n_steps:
                watcher.on_chunk(self._update(pool))
                if self._is_validation():
                    report = self._validate(pool)
                    if report.is_best:
                        save_best()
                    self._run.save()
                    watcher.on_validation(report)
                else:
                    self._run.save_if_due()
                self._run.stop_if(must_stop(), f"after update {self.state.step} of {self.n_steps}")
        return self.state

    def _update(self, pool: ThreadPoolExecutor) -> ChunkReport:
        """Train on the next chunk; at the text's end start over, from the initial state."""
        run, config, optimiser = self.state, self.config.train, self.config.optimiser
        number = run.step % len(self.streams)
        if number == 0:
            self.carried.zero_()
        inputs, targets = self.streams.chunk(number)
        generator = torch.Generator().manual_seed((config.seed << 32) + run.step)
        dropout = self.model.draw_dropout(len(inputs), generator)
        epoch = (run.step + 1) / len(self.streams)
        rate = learning_rate_at(epoch, config.n_epochs, optimiser)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        loss, state = language_step(
            self.model,
            self.optimiser,
            Chunk(inputs, targets, self.carried, dropout),
            precision=self._precision,
            max_gradient_norm=optimiser.max_gradient_norm,
            pool=pool,
            n_shards=config.n_shards,
        )
        self.carried.copy_(state)
        run.step, run.n_losses, run.loss = run.step + 1, run.n_losses + 1, run.loss + loss
        return ChunkReport(run.step, self.n_steps, targets.numel(), loss / LN_2)

    def _is_validation(self) -> bool:
        """Tell whether a validation follows the last update."""
        step, n_validations = self.state.step, self.config.train.n_validations
        return step * n_validations // self.n_steps > (step - 1) * n_validations // self.n_steps

    def _validate(self, pool: ThreadPoolExecutor) -> ValidationReport:
        """Score the dev text, and note whether the model is the best so far."""
        run, perplexity = self.state, self.language_model.perplexity(self.dev, pool.map)
        bits = perplexity.bits_per_character
        is_best = bits < run.best_bits
        if is_best:
            run.best_bits, run.best_step = bits, run.step
        loss, epoch = run.loss / run.n_losses / LN_2, run.step / len(self.streams)
        run.loss, run.n_losses = 0.0, 0
        return ValidationReport(run.step, epoch, loss, perplexity, is_best, self._run.seconds)
