"""One update: loss of a batch, gradients, clipping; never a step along what is not finite.

A recurrent layer does a little work many times, which threads cannot share well inside one
operation. So a batch is cut into as many shards as there are threads; each computes the gradient of
its own, and the gradients are added in a fixed order. Processes that train together share a batch
in the same way.
"""

import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import reduce

import torch
from torch import Tensor, nn

from asr.errors import TrainingError
from asr.model.acoustic import AcousticModel
from asr.model.ctc import is_alignable
from asr.train.objective import LossTerm, Targets
from asr.train.precision import PRECISIONS
from asr.train.ranks import Ranks, cut


@dataclass(frozen=True, slots=True)
class TrainingBatch:
    """The input of one update: features and tokens of some utterances, with their ids.

    Attributes:
        ids: Utterance ids of the whole batch.
        rows: The B of them that this process computes, possibly none.
        features: (B, T, F) float32, normalised and augmented.
        lengths: (B,) int64, frames.
        targets: By head.
        duration: Seconds of speech in the whole batch, padding not counted.
        seed: Of all that is random in the update.
        strength: Share of the configured dropout, 0 to 1.
    """

    ids: tuple[str, ...]
    rows: slice
    features: Tensor
    lengths: Tensor
    targets: Mapping[str, Targets]
    duration: float
    seed: int
    strength: float

    def to(self, device: torch.device) -> "TrainingBatch":
        """Move the tensors to a device."""
        targets = {head: targets.to(device) for head, targets in self.targets.items()}
        features, lengths = self.features.to(device), self.lengths.to(device)
        return replace(self, features=features, lengths=lengths, targets=targets)


@dataclass(frozen=True, slots=True)
class Workers:
    """Who computes an update: processes, each with its rows, and threads in each of them.

    Attributes:
        ranks: The processes.
        pool: The threads of this one.
        n_shards: Parts that its rows are cut into, one a thread.
    """

    ranks: Ranks
    pool: ThreadPoolExecutor
    n_shards: int


@dataclass(frozen=True, slots=True)
class StepResult:
    """The outcome of one update.

    Attributes:
        loss: The first term's, summed over the whole batch, nats.
        n_tokens: Reference tokens in that sum.
        gradient_norm: Before clipping.
        skipped: Ids of utterances with fewer frames than CTC needs; they took no part.
    """

    loss: float
    n_tokens: int
    gradient_norm: float
    skipped: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Gradient:
    """The gradient of a shard's summed objective; empty where no utterance can be aligned.

    Loss and number of tokens are those of the first term.
    """

    tensors: tuple[Tensor, ...]
    loss: float
    n_tokens: int
    skipped: tuple[str, ...]


def training_step(
    model: AcousticModel,
    optimiser: torch.optim.Optimizer,
    batch: TrainingBatch,
    workers: Workers,
    *,
    terms: Sequence[LossTerm],
    precision: str,
    max_gradient_norm: float,
) -> StepResult:
    """Update the model once, on the weighted sum of the terms, per reference token of the batch.

    The numbers of shards and of processes change the sums' rounding and nothing else: dropout is
    drawn for the whole batch, and the gradient is divided by the tokens of the whole batch.

    Raises:
        TrainingError: A loss or the gradient is not finite, or another process ended; the weights
            are as before the call.
    """
    parameters = tuple(model.parameters())
    generator = torch.Generator().manual_seed(batch.seed)
    dropout = model.draw_dropout(len(batch.ids), generator, batch.strength)
    dropout = dropout[:, batch.rows].to(batch.features.device)

    def gradient_of(rows: slice) -> _Gradient:
        return _gradient(model, parameters, batch, dropout, rows, precision, terms)

    parts = [rows for rows in cut(len(batch.lengths), workers.n_shards) if rows.start < rows.stop]
    shards = list(workers.pool.map(gradient_of, parts))
    loss, n_tokens, skipped = _totals(shards, batch, workers.ranks)
    if len(skipped) == len(batch.ids):
        return StepResult(0.0, 0, 0.0, skipped)
    gradients = workers.ranks.add(_sums(shards, parameters))
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = gradient.div_(max(n_tokens, 1))
    norm = float(nn.utils.clip_grad_norm_(parameters, max_gradient_norm))
    if not math.isfinite(norm):
        raise TrainingError(
            f"the gradient's norm is {norm} in the batch of {', '.join(batch.ids)}; "
            "no update was made. A lower optimiser.learning_rate usually helps"
        )
    optimiser.step()
    return StepResult(loss, n_tokens, norm, skipped)


def _sums(shards: Sequence[_Gradient], parameters: Sequence[nn.Parameter]) -> list[Tensor]:
    """Add the gradients of the shards; zeros, where no shard has any."""
    contributing = [shard.tensors for shard in shards if shard.tensors]
    if not contributing:
        return [torch.zeros_like(parameter) for parameter in parameters]
    if len(contributing) == 1:  # two biases of a cell may share a gradient
        return [gradient.clone() for gradient in contributing[0]]
    return [reduce(torch.add, parts) for parts in zip(*contributing, strict=True)]


def _totals(
    shards: Sequence[_Gradient], batch: TrainingBatch, ranks: Ranks
) -> tuple[float, int, tuple[str, ...]]:
    """Add up loss, tokens and skipped utterances of the whole batch."""
    skipped = {name for shard in shards for name in shard.skipped}
    own = [sum(shard.loss for shard in shards), sum(shard.n_tokens for shard in shards)]
    is_skipped = [name in skipped for name in batch.ids]
    (total,) = ranks.add([torch.tensor([*own, *is_skipped], dtype=torch.float64)])
    loss, n_tokens, *flags = total.tolist()
    return loss, int(n_tokens), _chosen(batch.ids, torch.tensor(flags) > 0)


def _gradient(
    model: AcousticModel,
    parameters: Sequence[nn.Parameter],
    batch: TrainingBatch,
    dropout: Tensor,
    rows: slice,
    precision: str,
    terms: Sequence[LossTerm],
) -> _Gradient:
    """Differentiate the terms' weighted sum over the utterances of a shard that can be aligned."""
    ids, device = batch.ids[batch.rows][rows], batch.features.device.type
    n_frames = int(batch.lengths[rows].max())
    if n_frames == 0:  # recordings shorter than a frame, or damaged
        return _Gradient((), 0.0, 0, ids)
    targets = {head: targets[rows] for head, targets in batch.targets.items()}
    with torch.autocast(device, PRECISIONS[precision], precision != "float32"):
        frames, lengths = model.encode(
            batch.features[rows, :n_frames], batch.lengths[rows], dropout[:, rows]
        )
        alignable = torch.stack(
            [is_alignable(lengths, own.tokens, own.lengths) for own in targets.values()]
        ).all(dim=0)
        skipped = _chosen(ids, ~alignable)
        if not bool(alignable.any()):
            return _Gradient((), 0.0, 0, skipped)
        losses = [
            term(
                model.score(frames[alignable], term.head),
                lengths[alignable],
                targets[term.head][alignable],
            )
            for term in terms
        ]
    for own in losses:
        _refuse_non_finite(own.detach(), _chosen(ids, alignable))
    total = sum(term.weight * own.sum() for term, own in zip(terms, losses, strict=True))
    assert isinstance(total, Tensor)
    n_tokens = int(targets[terms[0].head].lengths[alignable].sum())
    gradient = torch.autograd.grad(total, parameters)
    return _Gradient(gradient, float(losses[0].detach().sum()), n_tokens, skipped)


def _refuse_non_finite(losses: Tensor, ids: Sequence[str]) -> None:
    bad = ~torch.isfinite(losses)
    if bool(bad.any()):
        raise TrainingError(
            f"the loss is not finite for {', '.join(_chosen(ids, bad))}; no update was made. "
            "Listen to these recordings, or lower optimiser.learning_rate"
        )


def _chosen(ids: Sequence[str], mask: Tensor) -> tuple[str, ...]:
    return tuple(name for name, chosen in zip(ids, mask.tolist(), strict=True) if chosen)
