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
from itertools import zip_longest

import torch
from torch import Tensor, nn

from asr.errors import TrainingError
from asr.features.padding import padded_length
from asr.lengths import subsampled_lengths
from asr.model.acoustic import AcousticModel
from asr.model.ctc import is_alignable
from asr.model.partner import Partner, partners
from asr.train.objective import LossTerm, Targets
from asr.train.precision import autocast
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
        pool: The threads of this one, at least `n_shards`: some shards wait for each other.
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
class _Shard:
    """The utterances that one thread computes; all can be aligned."""

    ids: tuple[str, ...]
    features: Tensor
    lengths: Tensor
    targets: Mapping[str, Targets]
    dropout: Tensor
    partner: Partner | None


@dataclass(frozen=True, slots=True)
class _Gradient:
    """The gradient of a shard's summed objective, and the first term's loss.

    A tensor is None where the shard's partner has it, for both, or where nothing depends on it.
    """

    tensors: tuple[Tensor | None, ...]
    loss: float


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

    def gradient_of(shard: _Shard) -> _Gradient:
        try:
            return _gradient(model, parameters, shard, precision, terms)
        except BaseException as error:
            if shard.partner is not None:
                shard.partner.leave(error)
            raise

    alignable = _alignable(batch, model.config.subsampling_factor)
    shards = _shards(model, batch, alignable, workers.n_shards)
    computed = list(workers.pool.map(gradient_of, shards))
    n_tokens = int(batch.targets[terms[0].head].lengths[alignable].sum())
    loss = sum(shard.loss for shard in computed)
    loss, n_tokens, skipped = _totals(loss, n_tokens, alignable, batch, workers.ranks)
    if len(skipped) == len(batch.ids):
        return StepResult(0.0, 0, 0.0, skipped)
    gradients = workers.ranks.add(_sums(computed, parameters))
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


def _alignable(batch: TrainingBatch, subsampling_factor: int) -> Tensor:
    """Tell which of this process's utterances have an alignment in every head, (B,) bool."""
    lengths = subsampled_lengths(batch.lengths, subsampling_factor)
    heads = [is_alignable(lengths, own.tokens, own.lengths) for own in batch.targets.values()]
    return torch.stack(heads).all(dim=0)


def _shards(
    model: AcousticModel, batch: TrainingBatch, alignable: Tensor, n_shards: int
) -> list[_Shard]:
    """Cut the utterances that can be aligned into shards, and pair these on a CPU."""
    generator = torch.Generator().manual_seed(batch.seed)
    dropout = model.draw_dropout(len(batch.ids), generator, batch.strength)
    dropout = dropout[:, batch.rows].to(batch.features.device)
    ids = batch.ids[batch.rows]
    chosen = alignable.nonzero().flatten()
    parts = [chosen[rows] for rows in cut(len(chosen), n_shards) if rows.start < rows.stop]
    pairs: list[Partner | None] = []
    if batch.features.device.type == "cpu":
        pairs = [partner for _ in range(len(parts) // 2) for partner in partners()]
    return [
        _Shard(
            tuple(ids[row] for row in rows.tolist()),
            batch.features[rows, : padded_length(int(batch.lengths[rows].max()))],
            batch.lengths[rows],
            {head: targets[rows] for head, targets in batch.targets.items()},
            dropout[:, rows],
            partner,
        )
        for rows, partner in zip_longest(parts, pairs)
    ]


def _gradient(
    model: AcousticModel,
    parameters: Sequence[nn.Parameter],
    shard: _Shard,
    precision: str,
    terms: Sequence[LossTerm],
) -> _Gradient:
    """Differentiate the terms' weighted sum over the utterances of a shard."""
    with autocast(shard.features.device.type, precision):
        frames, lengths = model.encode(shard.features, shard.lengths, shard.dropout, shard.partner)
        losses = [
            term(model.score(frames, term.head), lengths, shard.targets[term.head])
            for term in terms
        ]
    for own in losses:
        _refuse_non_finite(own.detach(), shard.ids)
    total = sum(term.weight * own.sum() for term, own in zip(terms, losses, strict=True))
    assert isinstance(total, Tensor)
    gradient = torch.autograd.grad(total, parameters, allow_unused=True)
    return _Gradient(gradient, float(losses[0].detach().sum()))


def _refuse_non_finite(losses: Tensor, ids: Sequence[str]) -> None:
    bad = ~torch.isfinite(losses)
    if bool(bad.any()):
        raise TrainingError(
            f"the loss is not finite for {', '.join(_chosen(ids, bad))}; no update was made. "
            "Listen to these recordings, or lower optimiser.learning_rate"
        )


def _totals(
    loss: float, n_tokens: int, alignable: Tensor, batch: TrainingBatch, ranks: Ranks
) -> tuple[float, int, tuple[str, ...]]:
    """Add up loss, tokens and skipped utterances of the whole batch."""
    is_skipped = torch.zeros(len(batch.ids), dtype=torch.float64)
    is_skipped[batch.rows] = (~alignable).double().cpu()
    own = torch.tensor([loss, n_tokens], dtype=torch.float64)
    (total,) = ranks.add([torch.cat([own, is_skipped])])
    loss, n_tokens, *flags = total.tolist()
    return loss, int(n_tokens), _chosen(batch.ids, torch.tensor(flags) > 0)


def _sums(shards: Sequence[_Gradient], parameters: Sequence[nn.Parameter]) -> list[Tensor]:
    """Add the gradients of the shards; zeros, where no shard has any."""
    sums = []
    for i, parameter in enumerate(parameters):
        parts = [tensor for shard in shards if (tensor := shard.tensors[i]) is not None]
        first, *rest = parts or [torch.zeros_like(parameter)]
        sums.append(reduce(Tensor.add_, rest, first.clone()))  # two biases may share a gradient
    return sums


def _chosen(ids: Sequence[str], mask: Tensor) -> tuple[str, ...]:
    return tuple(name for name, chosen in zip(ids, mask.tolist(), strict=True) if chosen)
