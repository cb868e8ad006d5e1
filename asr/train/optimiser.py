"""AdamW, the learning rate at each moment of a run, and the moving average of the weights."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from asr.errors import ConfigError

SCHEDULES = ("cosine", "plateau")


@dataclass(frozen=True, slots=True)
class OptimiserConfig:
    """How far each update goes.

    Attributes:
        schedule: How the rate falls behind warm-up and hold: "cosine", or "plateau" for half of it
            after each validation that brings no lower dev WER.
        learning_rate: The peak.
        warmup_epochs: Epochs, possibly a fraction, of linear rise from zero to the peak.
        hold_epochs: Epochs at the peak, before the fall begins.
        final_fraction: Learning rate at the very end, as a fraction of the peak, 0 to 1; below it,
            a run on a plateau ends.
        weight_decay: Decoupled; only matrices and kernels decay, biases and norms do not.
        max_gradient_norm: Gradients are scaled down to this norm.
    """

    schedule: str
    learning_rate: float
    warmup_epochs: float
    hold_epochs: float
    final_fraction: float
    weight_decay: float
    max_gradient_norm: float

    def __post_init__(self) -> None:
        """Refuse values that cannot train."""
        if self.schedule not in SCHEDULES:
            raise ConfigError(
                f"optimiser.schedule must be one of {list(SCHEDULES)}, got {self.schedule!r}"
            )
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

    @property
    def fall_begins(self) -> float:
        """Epochs of warm-up and hold."""
        return self.warmup_epochs + self.hold_epochs

    def is_spent(self, n_halvings: int) -> bool:
        """Tell whether the rate was halved so often that a run ends."""
        return 0.5**n_halvings < self.final_fraction


def adamw(model: nn.Module, config: OptimiserConfig) -> torch.optim.AdamW:
    """Build AdamW with two groups: weights that decay and those that do not.

    References:
        Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019.
    """
    parameters = list(model.parameters())
    return torch.optim.AdamW(
        [
            {
                "params": [p for p in parameters if p.ndim > 1],
                "weight_decay": config.weight_decay,
            },
            {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
        ],
        lr=config.learning_rate,
        betas=(0.9, 0.98),
        fused=True,
    )


def averaged(model: nn.Module, decay: float) -> AveragedModel:
    """Follow a model by an exponential moving average of its weights.

    Its `update_parameters` is called after every update. The decay is small at first and grows to
    its full measure, so that the average forgets the weights that training began with.

    Args:
        model: To follow.
        decay: Share of the average that is kept at each update: 0.999 looks back on a thousand.

    References:
        Polyak and Juditsky, "Acceleration of stochastic approximation by averaging", 1992.
    """

    def average(
        means: Sequence[Tensor], weights: Sequence[Tensor], n_updates: Tensor | int
    ) -> None:
        kept = min(decay, (1 + int(n_updates)) / (10 + int(n_updates)))
        for mean, weight in zip(means, weights, strict=True):
            mean.lerp_(weight, 1.0 - kept)

    averages = AveragedModel(model, multi_avg_fn=average)
    for module in averages.modules():
        if isinstance(module, nn.RNNBase):
            module.flatten_parameters()  # in one piece, as cuDNN wants them; copies are not
    return averages


def learning_rate_at(
    epoch: float, n_epochs: float, config: OptimiserConfig, n_halvings: int = 0
) -> float:
    """Rise linearly, stay at the peak, then fall: along half a cosine, or by halves.

    Args:
        epoch: Epochs done, a fraction inside one: 2.5 is the middle of the third.
        n_epochs: Epochs in the whole run.
        config: Peak, warm-up and end.
        n_halvings: How often no lower dev WER was found behind warm-up and hold; a cosine does not
            ask.

    Returns:
        The learning rate of the next step.

    References:
        Loshchilov and Hutter, "SGDR", ICLR 2017 (one cycle, no restart).
    """
    if epoch < config.warmup_epochs:
        return config.learning_rate * epoch / config.warmup_epochs
    if config.schedule == "plateau":
        return config.learning_rate * 0.5**n_halvings
    after = (epoch - config.fall_begins) / max(n_epochs - config.fall_begins, 1e-9)
    fall = 0.5 * (1.0 + math.cos(math.pi * min(max(after, 0.0), 1.0)))
    return config.learning_rate * (config.final_fraction + (1.0 - config.final_fraction) * fall)
