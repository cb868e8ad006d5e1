"""One update: loss of a batch, gradients, clipping, and a refusal to step into nonsense.

A recurrent layer does a little work many times, which threads cannot share well inside of one
operation. So a batch is cut into as many shards as there are threads; each computes the gradient of
its own, and the gradients are added in a fixed order. Processes that train together share a batch
in the same way.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import reduce

import torch
from torch import Tensor, nn

from asr.errors import TrainingError
from asr.model.acoustic import AcousticModel, Output
from asr.model.ctc import ctc_loss, is_alignable
from asr.model.denominator import log_denominator
from asr.train.objective import Objective, Source, uniform_loss
from asr.train.precision import PRECISIONS
from asr.train.ranks import Ranks, cut


@dataclass(frozen=True, slots=True)
class Targets:
    """What one output of the model should say of each utterance.

    Attributes:
        tokens: (B, U) int64, padded with zeros.
        lengths: (B,) int64.
    """

    tokens: Tensor
    lengths: Tensor

    def __getitem__(self, rows: slice | Tensor) -> "Targets":
        """Take some utterances."""
        return Targets(self.tokens[rows], self.lengths[rows])

    def to(self, device: torch.device) -> "Targets":
        """Move them to where they are computed on."""
        return Targets(self.tokens.to(device), self.lengths.to(device))


@dataclass(frozen=True, slots=True)
class TrainingBatch:
    """What one update reads: features and tokens of some utterances, with their ids.

    Attributes:
        ids: Utterance ids of the whole batch.
        rows: Which of them this process has, B in number, possibly none; the others are elsewhere.
        features: (B, T, F) float32, normalised and augmented.
        lengths: (B,) int64, frames.
        targets: By the output that should say them; that of text is always there.
        duration: Seconds of speech in the whole batch, padding not counted.
        seed: Of whatever is random in the update.
        strength: Share of the configured dropout, 0 to 1.
    """

    ids: tuple[str, ...]
    rows: slice
    features: Tensor
    lengths: Tensor
    targets: Mapping[Output, Targets]
    duration: float
    seed: int
    strength: float

    def to(self, device: torch.device) -> "TrainingBatch":
        """Move the tensors to where they are computed on."""
        targets = {output: targets.to(device) for output, targets in self.targets.items()}
        features, lengths = self.features.to(device), self.lengths.to(device)
        return replace(self, features=features, lengths=lengths, targets=targets)


@dataclass(frozen=True, slots=True)
class Workers:
    """Who computes an update: processes, of which each takes its rows, and in each of them threads.

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
    """What one update did.

    Attributes:
        loss: CTC's, of the output of text: the sum over the whole batch, nats.
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
    """The gradient of a shard's summed objective; empty where no utterance can be aligned.

    Loss and number of tokens are those of the output of text.
    """

    tensors: tuple[Tensor, ...]
    loss: float
    n_tokens: int
    skipped: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Emission:
    """What the model says of some utterances, (B, T, V), and what it should say."""

    log_probs: Tensor
    lengths: Tensor
    targets: Targets

    def ctc_loss(self) -> Tensor:
        """Compute the losses, (B,), nats."""
        return ctc_loss(self.log_probs, self.lengths, self.targets.tokens, self.targets.lengths)

    def log_denominator(self, trigram: Tensor) -> Tensor:
        """Sum over whatever could have been said, (B,), natural log."""
        return log_denominator(self.log_probs, self.lengths, trigram)

    def uniform_loss(self) -> Tensor:
        """Compute how far it is from the uniform distribution, (B,), nats."""
        return uniform_loss(self.log_probs, self.lengths, self.targets.lengths)


def training_step(
    model: AcousticModel,
    optimiser: torch.optim.Optimizer,
    batch: TrainingBatch,
    workers: Workers,
    *,
    objective: Objective,
    precision: str,
    max_gradient_norm: float,
) -> StepResult:
    """Update the model once, on the mean objective per reference token of the whole batch.

    Weights of layers that do not take part have no gradient, and so an optimiser skips them.

    The numbers of shards and of processes change the sums' rounding and nothing else: dropout is
    drawn for the whole batch, and the gradient is divided by the tokens of the whole batch.

    Raises:
        TrainingError: A loss or the gradient is not finite, or another process ended; the weights
            are as before the call.
    """
    parameters = model.parameters_up_to(objective.n_layers)
    generator = torch.Generator().manual_seed(batch.seed)
    dropout = model.draw_dropout(len(batch.ids), generator, batch.strength)
    dropout = dropout[:, batch.rows].to(batch.features.device)

    def gradient_of(rows: slice) -> _Gradient:
        return _gradient(model, parameters, batch, dropout, rows, precision, objective)

    shards = list(workers.pool.map(gradient_of, _shards(len(batch.lengths), workers.n_shards)))
    loss, n_tokens, skipped = _totals(shards, batch, workers.ranks)
    if len(skipped) == len(batch.ids):
        return StepResult(0.0, 0, 0.0, skipped)
    for parameter, gradient in zip(
        parameters, workers.ranks.add(_sums(shards, parameters)), strict=True
    ):
        parameter.grad = gradient.div_(max(n_tokens, 1))
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
    return [rows for rows in cut(n_utterances, n_shards) if rows.start < rows.stop]


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
    objective: Objective,
) -> _Gradient:
    ids = batch.ids[batch.rows][rows]
    device = batch.features.device.type
    with torch.autocast(device, PRECISIONS[precision], precision != "float32"):
        emissions, alignable = _emissions(model, batch, dropout, rows, objective)
        losses = {source: emission.ctc_loss() for source, emission in emissions.items()}
        if emissions and objective.crf_weight:
            assert objective.phone_trigram is not None
            others = emissions["phones"].log_denominator(objective.phone_trigram)
            losses["phones"] = losses["phones"] + objective.crf_weight * others
    skipped = _chosen(ids, ~alignable)
    if not losses:
        return _Gradient((), 0.0, 0, skipped)
    for own in losses.values():
        _refuse_non_finite(own.detach(), _chosen(ids, alignable))
    total = objective.mix({source: own.sum() for source, own in losses.items()})
    if objective.label_smoothing:
        uniform = {source: emission.uniform_loss().sum() for source, emission in emissions.items()}
        total = total.lerp(objective.mix(uniform), objective.label_smoothing)
    n_tokens = int(emissions["text"].targets.lengths.sum())
    gradient = torch.autograd.grad(total, parameters)
    return _Gradient(gradient, float(losses["text"].detach().sum()), n_tokens, skipped)


def _emissions(
    model: AcousticModel, batch: TrainingBatch, dropout: Tensor, rows: slice, objective: Objective
) -> tuple[dict[Source, _Emission], Tensor]:
    """Score the utterances that can be aligned, if there are any, and tell which they are."""
    n_frames = int(batch.lengths[rows].max())
    (*middle, top), lengths = model.encode_at(
        batch.features[rows, :n_frames],
        batch.lengths[rows],
        objective.depths(model.config.n_layers),
        dropout[:, rows],
    )
    targets = {output: targets[rows] for output, targets in batch.targets.items()}
    alignable = torch.stack(
        [is_alignable(lengths, target.tokens, target.lengths) for target in targets.values()]
    ).all(dim=0)
    if not bool(alignable.any()):
        return {}, alignable

    def emission(frames: Tensor, output: Output) -> _Emission:
        log_probs = model.score(frames[alignable], output)
        return _Emission(log_probs, lengths[alignable], targets[output][alignable])

    emissions: dict[Source, _Emission] = {output: emission(top, output) for output in targets}
    if middle:
        emissions["middle"] = emission(middle[0], "text")
    return emissions, alignable


def _refuse_non_finite(losses: Tensor, ids: Sequence[str]) -> None:
    bad = ~torch.isfinite(losses)
    if bool(bad.any()):
        raise TrainingError(
            f"the loss is not finite for {', '.join(_chosen(ids, bad))}; no update was made. "
            "Listen to these recordings, or lower optimiser.learning_rate"
        )


def _chosen(ids: Sequence[str], mask: Tensor) -> tuple[str, ...]:
    return tuple(name for name, chosen in zip(ids, mask.tolist(), strict=True) if chosen)
