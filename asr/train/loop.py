"""The training loop: load → step → validate → keep the best → save the state."""

import dataclasses
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from torch import nn
from torch.optim.swa_utils import AveragedModel

from asr.errors import TrainingError
from asr.model.acoustic import AcousticModel
from asr.train.config import OptimiserConfig, TrainConfig
from asr.train.data import TrainingData
from asr.train.objective import LossTerm
from asr.train.optimiser import adamw, averaged, learning_rate_at
from asr.train.precision import usable_precision
from asr.train.progress import EpochReport, StepReport, Watcher
from asr.train.run import Run
from asr.train.shards import shard_threads
from asr.train.state import RunState
from asr.train.step import StepResult, TrainingBatch, Workers, training_step
from asr.train.validation import DevErrors, DevSet, validate


@dataclass(frozen=True, slots=True)
class Procedure:
    """How a network is trained.

    Attributes:
        terms: The losses whose weighted sum updates minimise; the first one is reported.
        train: Length and precision.
        optimiser: How far each update goes.
    """

    terms: Sequence[LossTerm]
    train: TrainConfig
    optimiser: OptimiserConfig


class Trainer:
    """Trains a model; started or resumed in a folder, see `asr.train.run.Run`.

    Args:
        model: Trained in place, on the device of the data's ranks.
        data: The training set. The first of the ranks that share it writes the state.
        dev: The dev set, to choose the best epoch by; None: the last one is kept.
        procedure: How it is trained.
        folder: Holds the training state.
        fingerprint: Hash of everything that must be the same when a run is resumed.
    """

    def __init__(
        self,
        model: AcousticModel,
        data: TrainingData,
        dev: DevSet | None,
        procedure: Procedure,
        folder: Path,
        fingerprint: str,
    ) -> None:
        self.model, self.data, self.dev = model.to(data.ranks.device), data, dev
        self.ranks = data.ranks
        config = self.config = procedure.train
        self.terms, self.optimiser_config = procedure.terms, procedure.optimiser
        self._precision = usable_precision(config.precision, data.ranks.device)
        self.optimiser = adamw(model, procedure.optimiser)
        modules: dict[str, nn.Module] = {"model": model}
        self.average: AveragedModel | None = None
        if config.average_decay:
            self.average = averaged(model, config.average_decay)
            modules["average"] = self.average
        self._run = Run(
            folder,
            RunState(fingerprint=fingerprint),
            modules,
            self.optimiser,
            checkpoint_minutes=config.checkpoint_minutes,
            ranks=self.ranks,
        )
        self.state = self._run.state
        self.ranks.begin_alike(model, f"{fingerprint} {self.state.step}")

    def run(
        self, watcher: Watcher, save_best: Callable[[], None], must_stop: Callable[[], bool]
    ) -> RunState:
        """Train to the end of the last epoch.

        Args:
            watcher: Receives a report of every step and epoch.
            save_best: Called whenever `kept_model` has the lowest dev WER so far (of equal ones,
                the lowest loss), or without a dev set after the last epoch; on the first rank only.
            must_stop: Asked after every step, and in validation, whether to end early.

        Raises:
            StoppedError: `must_stop` returned True, on any rank. The state is saved.
            TrainingError: A loss or gradient is not finite, or no utterance of an epoch could be
                aligned. The state on disk is from before.
            AudioError: A recording cannot be read.
        """
        with shard_threads(self.config.n_shards) as pool:
            workers = Workers(self.ranks, pool, self.config.n_shards)
            while not self._is_finished():
                self._train_epoch(watcher, workers, must_stop)
                errors = self._validate(watcher, workers, must_stop)
                report = self._finish_epoch(errors)
                is_last = self.dev is None and self._is_finished()
                if (report.is_best or is_last) and self.ranks.is_first:
                    save_best()
                self._run.save()
                watcher.on_epoch(dataclasses.replace(report, seconds=self.state.seconds))
        return self.state

    @property
    def kept_model(self) -> AcousticModel:
        """The model that is validated and kept: the average of the weights, if there is one."""
        if self.average is None:
            return self.model
        return cast(AcousticModel, self.average.module)

    def _is_finished(self) -> bool:
        return self.state.epoch >= self.config.n_epochs

    def _train_epoch(
        self, watcher: Watcher, workers: Workers, must_stop: Callable[[], bool]
    ) -> None:
        """Make the remaining updates of an epoch."""
        run, data = self.state, self.data
        n_batches = data.n_batches(run.epoch)
        before, began, resumed_at = run.epoch_seconds, time.monotonic(), run.speech
        for batch in data.batches(run.epoch, run.batch):
            epoch = run.epoch + (run.batch + 1) / n_batches
            rate = learning_rate_at(epoch, self.config.n_epochs, self.optimiser_config)
            result = self._update(batch, rate, workers)
            seconds = time.monotonic() - began
            run.epoch_seconds = before + seconds
            speed = max(run.speech - resumed_at, 1e-9) / seconds
            report = StepReport(
                epoch=epoch,
                step=run.step,
                batch=run.batch,
                n_batches=n_batches,
                loss=result.loss / max(result.n_tokens, 1),
                gradient_norm=result.gradient_norm,
                learning_rate=rate,
                hours_per_hour=speed,
                seconds_left=(self.config.n_epochs - epoch) * data.duration / speed,
                skipped=result.skipped,
            )
            watcher.on_step(report)
            self._stop_if(must_stop())
            self._run.save_if_due()

    def _update(self, batch: TrainingBatch, rate: float, workers: Workers) -> StepResult:
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        result = training_step(
            self.model,
            self.optimiser,
            batch,
            workers,
            terms=self.terms,
            precision=self._precision,
            max_gradient_norm=self.optimiser_config.max_gradient_norm,
        )
        if self.average is not None:
            self.average.update_parameters(self.model)
        run = self.state
        run.batch, run.step = run.batch + 1, run.step + 1
        run.loss, run.n_tokens = run.loss + result.loss, run.n_tokens + result.n_tokens
        run.n_skipped, run.speech = run.n_skipped + len(result.skipped), run.speech + batch.duration
        return result

    def _validate(
        self, watcher: Watcher, workers: Workers, must_stop: Callable[[], bool]
    ) -> DevErrors | None:
        """Score the dev set, if there is one and it is due after this epoch."""
        epoch, config = self.state.epoch + 1, self.config
        is_due = epoch % config.validate_every == 0 or epoch == config.n_epochs
        if self.dev is None or not is_due:
            return None
        errors = DevErrors()
        for some in validate(self.kept_model, self.dev, workers):
            errors += some
            watcher.on_validation(errors.words.n_reference)
            self._stop_if(must_stop())
        return errors

    def _finish_epoch(self, errors: DevErrors | None) -> EpochReport:
        """Count the epoch as done, and note whether it is the best."""
        run = self.state
        if run.n_tokens == 0 and not self.data.is_without_speech(run.epoch):
            raise TrainingError(
                f"nothing was learned in epoch {run.epoch + 1}: every utterance has fewer frames "
                "than CTC needs for its text, or no text. A lower model.subsampling_factor gives "
                "more frames; `asr prepare --subsampling-factor` names such utterances"
            )
        loss, speed = run.loss / max(run.n_tokens, 1), run.speech / max(run.epoch_seconds, 1e-9)
        n_skipped = run.n_skipped
        run.epoch, run.batch, run.loss, run.n_tokens = run.epoch + 1, 0, 0.0, 0
        run.n_skipped, run.speech, run.epoch_seconds = 0, 0.0, 0.0
        wer, dev_loss = (errors.words.rate, errors.mean_loss) if errors else (None, None)
        is_best = wer is not None and self._is_best(wer, dev_loss)
        return EpochReport(
            epoch=run.epoch,
            step=run.step,
            loss=loss,
            dev_loss=dev_loss,
            wer=wer,
            is_best=is_best,
            hours_per_hour=speed,
            seconds=run.seconds,
            n_skipped=n_skipped,
        )

    def _is_best(self, wer: float, dev_loss: float | None) -> bool:
        """Note an epoch that is better than all before; of equal WERs, the lower loss decides.

        A few words, or sentences without spaces, may all be wrong until the very end.
        """
        run, loss = self.state, math.inf if dev_loss is None else dev_loss
        is_best = (wer, loss) < (run.best_wer, run.best_loss)
        if is_best:
            run.best_wer, run.best_loss, run.best_epoch = wer, loss, run.epoch
        return is_best

    def _stop_if(self, must_stop: bool) -> None:
        """End the run, its state saved, if any rank must stop."""
        where = f"in epoch {self.state.epoch + 1} after step {self.state.step}"
        self._run.stop_if(must_stop, where)
