"""The training loop: load → step → validate → keep the best → save the state."""

import dataclasses
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from asr.errors import ConfigError, StoppedError, TrainingError
from asr.model.acoustic import AcousticModel
from asr.text.tokens import Tokenizer
from asr.train.data import Batches, TrainingBatches
from asr.train.objective import Objective
from asr.train.optimiser import OptimiserConfig, adamw, averaged, learning_rate_at
from asr.train.precision import PRECISIONS, usable_precision
from asr.train.progress import EpochReport, StepReport, Watcher
from asr.train.state import RunState, load_state, save_state
from asr.train.step import TrainingBatch, Workers, training_step
from asr.train.validation import count_word_errors
from asr.wer.alignment import Counts

STATE_FILE = "state.safetensors"


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """How long a run goes, and how carefully.

    Attributes:
        n_epochs: Passes over the training set.
        validate_every: Epochs from one validation to the next; there is one after the last, too.
        patience: Epochs without a lower dev WER after which a run stops; 0 never stops early.
        precision: "float32", or "bfloat16" for matrix products in bfloat16 (weights stay float32)
            where the processor has an LSTM in it.
        n_shards: Parts of a batch that are computed side by side, each by a thread: one a core is
            best. It decides the rounding of sums, and so belongs to what makes a run repeatable.
        phone_weight: Share of the loss that a second output has, of the phones of a lexicon; 0: the
            model has none.
        crf_weight: How much of CTC-CRF the loss of phones is, which lets whole sequences of phones
            compete, each as probable as the training texts make it; 0: CTC alone.
        middle_weight: Share of text's loss that is taken behind layer n_layers // 2; 0: none.
        label_smoothing: Share of the loss that draws the outputs to the uniform distribution.
        grow_epochs: Epochs after which each further recurrent layer joins in, from the first one
            on; a model is validated once all have. 0: all from the start.
        average_decay: Of a moving average of the weights, which then is the model that is judged
            and kept; 0 keeps the weights as they are.
        checkpoint_minutes: A run that is killed loses at most this much work.
    """

    n_epochs: int
    validate_every: int
    patience: int
    precision: str
    n_shards: int
    phone_weight: float
    crf_weight: float
    middle_weight: float
    label_smoothing: float
    grow_epochs: int
    average_decay: float
    checkpoint_minutes: float

    def __post_init__(self) -> None:
        """Refuse values that cannot train."""
        if self.precision not in PRECISIONS:
            raise ConfigError(
                f"train.precision must be one of {sorted(PRECISIONS)}, got {self.precision!r}"
            )
        for name in ("n_epochs", "validate_every", "n_shards"):
            if getattr(self, name) < 1:
                raise ConfigError(f"train.{name} must be at least 1, got {getattr(self, name)}")
        for name in ("average_decay", "phone_weight", "middle_weight", "label_smoothing"):
            if not 0.0 <= getattr(self, name) < 1.0:
                raise ConfigError(f"train.{name} must lie in [0, 1), got {getattr(self, name)}")
        if not 0.0 <= self.crf_weight <= (1.0 if self.phone_weight else 0.0):
            raise ConfigError(
                "train.crf_weight must lie in [0, 1], and be 0 without phones "
                f"(train.phone_weight), got {self.crf_weight}"
            )
        if self.grow_epochs < 0:
            raise ConfigError(f"train.grow_epochs must be at least 0, got {self.grow_epochs}")

    def whole_from(self, n_layers: int) -> int:
        """Tell after how many epochs the last of so many recurrent layers joins in."""
        return self.grow_epochs * (n_layers - 1)

    def objective(
        self, epoch: int, n_layers: int, phone_trigram: Tensor | None = None
    ) -> Objective:
        """Say what updates minimise in an epoch, from 0, of a model with so many layers.

        The trigram, (V, V, V), is what `Objective` asks for.
        """
        joined = 1 + epoch // self.grow_epochs if self.grow_epochs else n_layers
        return Objective(
            phone_weight=self.phone_weight,
            crf_weight=self.crf_weight,
            middle_weight=self.middle_weight,
            label_smoothing=self.label_smoothing,
            n_layers=min(joined, n_layers),
            phone_trigram=phone_trigram,
        )


@dataclass(frozen=True, slots=True)
class DevSet:
    """What a model is judged on while it trains.

    Attributes:
        data: Utterances as batches, not augmented.
        references: Normalised text by utterance id.
        tokenizer: Reads the model's tokens as text.
    """

    data: Batches
    references: Mapping[str, str]
    tokenizer: Tokenizer


class Trainer:
    """A run in a folder: begun there, or gone on with where its state says it stood.

    Args:
        model: Trained in place, on the device of the data's ranks.
        data: The training set, and the ranks that share it. The first one writes the state.
        dev: The dev set, for early stopping and the choice of the best epoch; None keeps the last.
        config: Length, precision and patience.
        optimiser_config: How far each update goes.
        folder: Holds the training state.
        fingerprint: Stands for everything that must be equal when a run is gone on with.

    Raises:
        ConfigError: Something goes by the WER of a dev set, and there is none.
    """

    def __init__(
        self,
        model: AcousticModel,
        data: TrainingBatches,
        dev: DevSet | None,
        config: TrainConfig,
        optimiser_config: OptimiserConfig,
        folder: Path,
        fingerprint: str,
    ) -> None:
        if dev is None and (config.patience or optimiser_config.schedule == "plateau"):
            raise ConfigError(
                "train.patience and the schedule of a plateau go by the WER of a dev set: give "
                'one, or set train.patience=0 and optimiser.schedule="cosine"'
            )
        self.model, self.data, self.dev = model.to(data.ranks.device), data, dev
        self.ranks = data.ranks
        self.config, self.optimiser_config = config, optimiser_config
        self._precision = usable_precision(config.precision, data.ranks.device)
        self.optimiser = adamw(model, optimiser_config)
        self._whole_from = config.whole_from(model.config.n_layers)
        self.modules: dict[str, nn.Module] = {"model": model}
        self.average: AveragedModel | None = None
        if config.average_decay:
            self.average = averaged(model, config.average_decay)
            self.modules["average"] = self.average
        self.state_path = folder / STATE_FILE
        self.state = RunState(fingerprint=fingerprint)
        if self.state_path.exists():
            self.state = load_state(self.state_path, self.state, self.modules, self.optimiser)
        self.ranks.begin_alike(model, f"{fingerprint} {self.state.step}")
        self._clock = time.monotonic()
        self._saved = self._clock

    def run(
        self, watcher: Watcher, save_best: Callable[[], None], must_stop: Callable[[], bool]
    ) -> RunState:
        """Train to the end of the last epoch, or until patience or the learning rate runs out.

        Args:
            watcher: Told of every step and epoch.
            save_best: Called whenever `judged` as it is has the lowest dev WER so far, or without a
                dev set after the last epoch; on the first rank only.
            must_stop: Asked after every step, and in validation, whether to end early.

        Raises:
            StoppedError: `must_stop` said so, on any rank. The state is saved.
            TrainingError: A loss or gradient is not finite, or an epoch taught nothing, since no
                utterance could be aligned. The state on disk is from before.
            AudioError: A recording cannot be read.
        """
        with ThreadPoolExecutor(self.config.n_shards, "shard") as pool:
            workers = Workers(self.ranks, pool, self.config.n_shards)
            while not self.is_finished():
                speed, n_skipped = self._train_epoch(watcher, workers, must_stop)
                dev = self.dev if self._is_due(self.state.epoch + 1) else None
                wer = self._validate(dev, watcher, workers, must_stop) if dev else None
                report = self._finish_epoch(wer, speed, n_skipped)
                is_last = self.dev is None and self.is_finished()
                if (report.is_best or is_last) and self.ranks.is_first:
                    save_best()
                self._save_state()
                watcher.on_epoch(dataclasses.replace(report, seconds=self.state.seconds))
        return self.state

    @property
    def judged(self) -> AcousticModel:
        """The model that is validated and kept: of averaged weights, where they are averaged."""
        if self.average is None:
            return self.model
        return cast(AcousticModel, self.average.module)

    def is_finished(self) -> bool:
        """Tell whether all epochs are done, or patience or the learning rate has run out."""
        run = self.state
        waited = run.epoch - max(run.best_epoch, self._whole_from)
        is_stale = 0 < self.config.patience <= waited
        is_spent = self.optimiser_config.is_spent(run.n_halvings)
        return run.epoch >= self.config.n_epochs or is_stale or is_spent

    def _is_due(self, epoch: int) -> bool:
        """Tell whether there is a validation after so many epochs."""
        is_turn = epoch % self.config.validate_every == 0 or epoch == self.config.n_epochs
        return is_turn and epoch > self._whole_from

    def _train_epoch(
        self, watcher: Watcher, workers: Workers, must_stop: Callable[[], bool]
    ) -> tuple[float, int]:
        """Make the updates of an epoch that are not made yet; return hours per hour, skipped."""
        run, n_batches = self.state, self.data.n_batches(self.state.epoch)
        began, trained, n_skipped = time.monotonic(), 0.0, 0
        for batch in self.data.batches(run.epoch, run.batch):
            report = self._update(batch, n_batches, workers)
            trained, n_skipped = trained + batch.duration, n_skipped + len(report.skipped)
            seconds = time.monotonic() - began
            done = self.state.epoch + self.state.batch / n_batches
            per_epoch = seconds / max(trained, 1e-9) * self.data.duration(run.epoch)
            watcher.on_step(
                dataclasses.replace(
                    report,
                    hours_per_hour=trained / seconds,
                    seconds_left=(self.config.n_epochs - done) * per_epoch,
                )
            )
            self._stop_if(must_stop())
            if time.monotonic() - self._saved > 60.0 * self.config.checkpoint_minutes:
                self._save_state()
        return trained / max(time.monotonic() - began, 1e-9), n_skipped

    def _update(self, batch: TrainingBatch, n_batches: int, workers: Workers) -> StepReport:
        run = self.state
        epoch = run.epoch + (run.batch + 1) / n_batches
        rate = learning_rate_at(epoch, self.config.n_epochs, self.optimiser_config, run.n_halvings)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        result = training_step(
            self.model,
            self.optimiser,
            batch,
            workers,
            objective=self.config.objective(
                run.epoch, self.model.config.n_layers, self.data.phone_trigram
            ),
            precision=self._precision,
            max_gradient_norm=self.optimiser_config.max_gradient_norm,
        )
        if self.average is not None:
            self.average.update_parameters(self.model)
        run.batch, run.step = run.batch + 1, run.step + 1
        run.loss, run.n_tokens = run.loss + result.loss, run.n_tokens + result.n_tokens
        return StepReport(
            epoch=epoch,
            step=run.step,
            batch=run.batch,
            n_batches=n_batches,
            loss=result.loss / max(result.n_tokens, 1),
            gradient_norm=result.gradient_norm,
            learning_rate=rate,
            hours_per_hour=0.0,
            seconds_left=0.0,
            skipped=result.skipped,
        )

    def _validate(
        self, dev: DevSet, watcher: Watcher, workers: Workers, must_stop: Callable[[], bool]
    ) -> float:
        """Return the WER of the dev set, a fraction."""
        counts = Counts()
        for some in count_word_errors(
            self.judged, dev.data.batches(0), dev.references, dev.tokenizer, workers
        ):
            counts += some
            watcher.on_validation(counts.n_reference)
            self._stop_if(must_stop())
        return counts.rate

    def _finish_epoch(self, wer: float | None, speed: float, n_skipped: int) -> EpochReport:
        """Count the epoch as done, and note whether it is the best."""
        run = self.state
        if run.n_tokens == 0:
            raise TrainingError(
                f"nothing was learned in epoch {run.epoch + 1}: every utterance has fewer frames "
                "than CTC needs for its text, or no text. A lower model.subsampling_factor gives "
                "more frames; `asr prepare --subsampling-factor` names such utterances"
            )
        loss = run.loss / run.n_tokens
        run.epoch, run.batch, run.loss, run.n_tokens = run.epoch + 1, 0, 0.0, 0
        is_best = wer is not None and wer < run.best_wer
        if wer is not None and is_best:
            run.best_wer, run.best_epoch = wer, run.epoch
        elif wer is not None and self._is_plateau():
            run.n_halvings += 1
        return EpochReport(run.epoch, run.step, loss, wer, is_best, speed, run.seconds, n_skipped)

    def _is_plateau(self) -> bool:
        """Tell whether a validation without a lower dev WER halves the learning rate."""
        config = self.optimiser_config
        return config.schedule == "plateau" and self.state.epoch >= config.fall_begins

    def _stop_if(self, must_stop: bool) -> None:
        """End the run, its state saved, if any rank must stop."""
        if self.ranks.anyone(must_stop):
            self._save_state()
            raise StoppedError(
                f"stopped in epoch {self.state.epoch + 1} after step {self.state.step}; the state "
                "is saved, and the same command goes on from there"
            )

    def _save_state(self) -> None:
        now = time.monotonic()
        self.state.seconds += now - self._clock
        self._clock = self._saved = now
        if self.ranks.is_first:
            save_state(self.state_path, self.state, self.modules, self.optimiser)
