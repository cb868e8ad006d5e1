"""One update: loss of a batch, gradients, clipping, and a refusal to step into nonsense.

A recurrent layer does a little work many times, which threads cannot share well inside of one
operation. So a batch is cut into as many shards as there are threads; each computes the gradient of
its own, as machines do that train together, and the gradients are added in a fixed order.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

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
        seed: Of whatever is random in the update.
        strength: Share of the configured dropout, 0 to 1.
    """

    ids: tuple[str, ...]
    features: Tensor
    lengths: Tensor
    tokens: Tensor
    token_lengths: Tensor
    duration: float
    seed: int
    strength: float


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


@dataclass(frozen=True, slots=True)
class _Gradient:
    """The gradient of the summed loss of a shard; empty where no utterance can be aligned."""

    tensors: tuple[Tensor, ...]
    loss: float
    n_tokens: int
    skipped: tuple[str, ...]


def training_step(
    model: AcousticModel,
    optimiser: torch.optim.Optimizer,
    batch: TrainingBatch,
    *,
    precision: str,
    max_gradient_norm: float,
    pool: ThreadPoolExecutor,
    n_shards: int,
) -> StepResult:
    """Update the model once, on the mean loss per reference token of the batch.

    The number of shards changes the sums' rounding and nothing else: dropout is drawn for the whole
    batch.

    Raises:
        TrainingError: A loss or the gradient is not finite; the weights are as before the call.
    """
    parameters = tuple(model.parameters())
    generator = torch.Generator().manual_seed(batch.seed)
    dropout = model.draw_dropout(len(batch.ids), generator, batch.strength)

    def gradient_of(rows: slice) -> _Gradient:
        return _gradient(model, parameters, batch, dropout, rows, precision)

    shards = list(pool.map(gradient_of, _shards(len(batch.ids), n_shards)))
    loss, n_tokens = sum(s.loss for s in shards), sum(s.n_tokens for s in shards)
    skipped = tuple(name for shard in shards for name in shard.skipped)
    contributing = [shard.tensors for shard in shards if shard.tensors]
    if not contributing:
        return StepResult(0.0, 0, 0.0, skipped)
    for parameter, *parts in zip(parameters, *contributing, strict=True):
        parameter.grad = torch.stack(parts).sum(0).div_(max(n_tokens, 1))
    norm = float(nn.utils.clip_grad_norm_(parameters, max_gradient_norm))
    if not torch.isfinite(torch.tensor(norm)):
        raise TrainingError(
            f"the gradient's norm is {norm} in the batch of {', '.join(batch.ids)}; "
            "no update was made. A lower optimiser.learning_rate usually helps"
        )
    optimiser.step()
    return StepResult(loss, n_tokens, norm, skipped)


def _shards(n_utterances: int, n_shards: int) -> list[slice]:
    """Cut the rows of a batch into at most `n_shards` runs of nearly equal size."""
    bounds = [round(i * n_utterances / n_shards) for i in range(n_shards + 1)]
    return [slice(a, b) for a, b in pairwise(bounds) if a < b]


def _gradient(
    model: AcousticModel,
    parameters: Sequence[nn.Parameter],
    batch: TrainingBatch,
    dropout: Tensor,
    rows: slice,
    precision: str,
) -> _Gradient:
    ids, n_frames = batch.ids[rows], int(batch.lengths[rows].max())
    features = batch.features[rows, :n_frames]
    with torch.autocast(features.device.type, PRECISIONS[precision], precision != "float32"):
        log_probs, lengths = model(features, batch.lengths[rows], dropout[:, rows])
    tokens, token_lengths = batch.tokens[rows], batch.token_lengths[rows]
    alignable = is_alignable(lengths, tokens, token_lengths)
    skipped = _chosen(ids, ~alignable)
    if len(skipped) == len(ids):
        return _Gradient((), 0.0, 0, skipped)
    losses = ctc_loss(
        log_probs[alignable], lengths[alignable], tokens[alignable], token_lengths[alignable]
    )
    _refuse_non_finite(losses.detach(), _chosen(ids, alignable))
    gradient = torch.autograd.grad(losses.sum(), parameters)
    n_tokens = int(token_lengths[alignable].sum())
    return _Gradient(gradient, float(losses.detach().sum()), n_tokens, skipped)


def _refuse_non_finite(losses: Tensor, ids: Sequence[str]) -> None:
    bad = ~torch.isfinite(losses)
    if bool(bad.any()):
        raise TrainingError(
            f"the loss is not finite for {', '.join(_chosen(ids, bad))}; no update was made. "
            "Listen to these recordings, or lower optimiser.learning_rate"
        )


def _chosen(ids: Sequence[str], mask: Tensor) -> tuple[str, ...]:
    return tuple(name for name, chosen in zip(ids, mask.tolist(), strict=True) if chosen)
