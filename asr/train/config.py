"""The configuration of training: its length, its steps and what they minimise."""

from dataclasses import dataclass
from typing import Literal

from asr.errors import ConfigError


@dataclass(frozen=True, slots=True)
class CtcConfig:
    """The CTC loss of a head.

    Attributes:
        loss: "ctc".
        weight: Factor in the sum that an update minimises, above 0.
    """

    loss: Literal["ctc"]
    weight: float

    def __post_init__(self) -> None:
        """Refuse a weight without effect."""
        _check_weight(self.weight)


@dataclass(frozen=True, slots=True)
class CtcCrfConfig:
    """The CTC-CRF loss of a head, in which whole token sequences compete.

    Attributes:
        loss: "ctc-crf".
        weight: Factor in the sum that an update minimises, above 0.
        denominator_weight: Factor of the competition, `log_denominator`: 0 is CTC, 1 is CTC-CRF.
    """

    loss: Literal["ctc-crf"]
    weight: float
    denominator_weight: float

    def __post_init__(self) -> None:
        """Refuse weights without effect or with the opposite one."""
        _check_weight(self.weight)
        if not 0.0 <= self.denominator_weight <= 1.0:
            raise ConfigError(
                f"objective: denominator_weight must lie in [0, 1], got {self.denominator_weight}"
            )


TermConfig = CtcConfig | CtcCrfConfig


@dataclass(frozen=True, slots=True)
class OptimiserConfig:
    """How far each update goes.

    Attributes:
        learning_rate: The peak.
        warmup_epochs: Epochs, possibly a fraction, of linear rise from zero to the peak.
        hold_epochs: Epochs at the peak, before the fall along half a cosine begins.
        final_fraction: Learning rate at the very end, as a fraction of the peak, 0 to 1.
        weight_decay: Decoupled; only matrices and kernels decay, biases and norms do not.
        max_gradient_norm: Gradients are scaled down to this norm.
    """

    learning_rate: float
    warmup_epochs: float
    hold_epochs: float
    final_fraction: float
    weight_decay: float
    max_gradient_norm: float

    def __post_init__(self) -> None:
        """Refuse values that cannot train."""
        for name in ("learning_rate", "max_gradient_norm"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"optimiser.{name} must be positive, got {getattr(self, name)}")
        for name in ("warmup_epochs", "hold_epochs", "final_fraction", "weight_decay"):
            if not getattr(self, name) >= 0:
                raise ConfigError(f"optimiser.{name} must be at least 0, got {getattr(self, name)}")
        if self.final_fraction > 1:
            raise ConfigError(
                f"optimiser.final_fraction must be at most 1, got {self.final_fraction}"
            )


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """How long a run goes, and how carefully.

    Attributes:
        n_epochs: Passes over the training set.
        validate_every: Epochs from one validation to the next; there is one after the last, too.
        precision: "float32", or "bfloat16" for matrix products in bfloat16 (weights stay float32)
            where the processor has an LSTM in it.
        n_shards: Equal parts of a batch, one per thread: one per core is best, and an even number,
            since pairs share work. It decides the rounding of sums, and so belongs to what makes a
            run repeatable.
        average_decay: Of a moving average of the weights, which is then validated and kept in their
            place; 0 keeps the weights themselves.
        checkpoint_minutes: A run that is killed loses at most this much work.
    """

    n_epochs: int
    validate_every: int
    precision: Literal["float32", "bfloat16"]
    n_shards: int
    average_decay: float
    checkpoint_minutes: float

    def __post_init__(self) -> None:
        """Refuse values that cannot train."""
        for name in ("n_epochs", "validate_every", "n_shards"):
            if getattr(self, name) < 1:
                raise ConfigError(f"train.{name} must be at least 1, got {getattr(self, name)}")
        if not 0.0 <= self.average_decay < 1.0:
            raise ConfigError(f"train.average_decay must lie in [0, 1), got {self.average_decay}")


def _check_weight(weight: float) -> None:
    if not weight > 0:
        raise ConfigError(f"objective: weight must be above 0, got {weight}")
