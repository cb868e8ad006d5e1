"""AdamW, the schedule of the learning rate, and the moving average of the weights."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from asr.train.config import OptimiserConfig


def adamw(model: nn.Module, config: OptimiserConfig) -> torch.optim.AdamW:
    """Build AdamW with two groups: weights that decay and those that do not.

    References:
        Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019.
    """
    matrices = [p for p in model.parameters() if p.ndim > 1]
    vectors = [p for p in model.parameters() if p.ndim <= 1]
    groups = [
        {"params": matrices, "weight_decay": config.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=config.learning_rate, betas=(0.9, 0.98), fused=True)


def averaged(model: nn.Module, decay: float) -> AveragedModel:
    """Make an exponential moving average of a model's weights.

    Call its `update_parameters` after every update of the model. The decay grows from 0.1 to its
    full value, so that the average forgets the initial weights.

    Args:
        model: Whose weights to average.
        decay: Share of the average kept at each update: 0.999 averages about a thousand updates.

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


def learning_rate_at(epoch: float, n_epochs: float, config: OptimiserConfig) -> float:
    """Rise linearly, stay at the peak, then fall along half a cosine.

    Args:
        epoch: Epochs done, a fraction inside one: 2.5 is the middle of the third.
        n_epochs: Epochs in the whole run.
        config: Peak, warm-up and end.

    Returns:
        The learning rate of the next step.

    References:
        Loshchilov and Hutter, "SGDR", ICLR 2017 (one cycle, no restart).
    """
    if epoch < config.warmup_epochs:
        return config.learning_rate * epoch / config.warmup_epochs
    fall_begins = config.warmup_epochs + config.hold_epochs
    after = (epoch - fall_begins) / max(n_epochs - fall_begins, 1e-9)
    fall = 0.5 * (1.0 + math.cos(math.pi * min(max(after, 0.0), 1.0)))
    return config.learning_rate * (config.final_fraction + (1.0 - config.final_fraction) * fall)
