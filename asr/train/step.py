"""One update: loss of a batch, gradients, clipping, and a refusal to step into nonsense."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from asr.errors import TrainingError
from asr.model.acoustic import AcousticModel
from asr.model.ctc import ctc_loss, is_alignable

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}


@dataclass(frozen=True, slots=True)
class TrainingBatch:
    """What one update reads: features and tokens of some utterances, with their ids.

    Attributes:
        ids: B utterance ids, for messages.
        features: (B, T, F) float32, normalised and augmented.
        lengths: (B,) int64, frames.
        tokens: (B, U) int64.
        token_lengths: (B,) int64.
        duration: Seconds of speech, padding not counted.
    """

    ids: tuple[str, ...]
    features: Tensor
    lengths: Tensor
    tokens: Tensor
    token_lengths: Tensor
    duration: float


@dataclass(frozen=True, slots=True)
class StepResult:
    """What one update did.

    Attributes:
        loss: Sum over the batch, nats.
        n_tokens: Reference tokens behind that sum.
        gradient_norm: Before clipping.
        skipped: Ids of utterances with fewer frames than CTC needs; they took no part.
    """

    loss: float
    n_tokens: int
    gradient_norm: float
    skipped: tuple[str, ...]


def training_step(
    model: AcousticModel,
    optimiser: torch.optim.Optimizer,
    batch: TrainingBatch,
    *,
    precision: str,
    max_gradient_norm: float,
) -> StepResult:
    """Update the model once, on the mean loss per reference token of the batch.

    Raises:
        TrainingError: A loss or the gradient is not finite; the weights are as before the call.
    """
    with torch.autocast(
        batch.features.device.type, PRECISIONS[precision], enabled=precision != "float32"
    ):
        log_probs, lengths = model(batch.features, batch.lengths)
    alignable = is_alignable(lengths, batch.tokens, batch.token_lengths)
    if not bool(alignable.any()):
        return StepResult(0.0, 0, 0.0, batch.ids)
    losses = ctc_loss(
        log_probs[alignable],
        lengths[alignable],
        batch.tokens[alignable],
        batch.token_lengths[alignable],
    )
    _refuse_non_finite(losses, _chosen(batch.ids, alignable))
    n_tokens = int(batch.token_lengths[alignable].sum())
    optimiser.zero_grad(set_to_none=True)
    (losses.sum() / max(n_tokens, 1)).backward()
    norm = float(nn.utils.clip_grad_norm_(model.parameters(), max_gradient_norm))
    if not torch.isfinite(torch.tensor(norm)):
        raise TrainingError(
            f"the gradient's norm is {norm} in the batch of {', '.join(batch.ids)}; "
            "no update was made. A lower optimiser.learning_rate usually helps"
        )
    optimiser.step()
    return StepResult(float(losses.detach().sum()), n_tokens, norm, _chosen(batch.ids, ~alignable))


def _refuse_non_finite(losses: Tensor, ids: Sequence[str]) -> None:
    bad = ~torch.isfinite(losses.detach())
    if bool(bad.any()):
        raise TrainingError(
            f"the loss is not finite for {', '.join(_chosen(ids, bad))}; no update was made. "
            "Listen to these recordings, or lower optimiser.learning_rate"
        )


def _chosen(ids: Sequence[str], mask: Tensor) -> tuple[str, ...]:
    return tuple(name for name, chosen in zip(ids, mask.tolist(), strict=True) if chosen)
