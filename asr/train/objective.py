"""The objective: a weighted sum of losses, each of one head, that updates minimise.

To add a loss: write its class here and its configuration in `config`; list both in `make_terms`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from asr.config import TEXT_HEAD
from asr.errors import ConfigError
from asr.model.ctc import ctc_loss
from asr.model.denominator import log_denominator
from asr.model.dense_trigram import dense_trigram
from asr.train.config import CtcCrfConfig, TermConfig

MAX_CRF_TOKENS = 512  # whose trigram takes 1 GB, as does its second copy


@dataclass(frozen=True, slots=True)
class Targets:
    """The tokens that one head should output for each utterance.

    Attributes:
        tokens: (B, U) int64, padded with zeros.
        lengths: (B,) int64.
    """

    tokens: Tensor
    lengths: Tensor

    def __getitem__(self, rows: slice | Tensor) -> "Targets":
        """Select utterances."""
        return Targets(self.tokens[rows], self.lengths[rows])

    def to(self, device: torch.device) -> "Targets":
        """Move the tensors to a device."""
        return Targets(self.tokens.to(device), self.lengths.to(device))


class LossTerm(Protocol):
    """A loss of one head."""

    @property
    def head(self) -> str:
        """The head that it reads."""

    @property
    def weight(self) -> float:
        """Its factor in the sum."""

    def __call__(self, log_probs: Tensor, lengths: Tensor, targets: Targets) -> Tensor:
        """Compute the loss of each utterance.

        Args:
            log_probs: (B, T, V) float, natural log, normalised; padding is never read.
            lengths: (B,) int64, valid frames.
            targets: What the head should output.

        Returns:
            (B,) float, nats.
        """


@dataclass(frozen=True, slots=True)
class Ctc:
    """The CTC loss; see `asr.model.ctc`."""

    head: str
    weight: float

    def __call__(self, log_probs: Tensor, lengths: Tensor, targets: Targets) -> Tensor:
        """Compute minus the log-probability of each token sequence, (B,) nats."""
        return ctc_loss(log_probs, lengths, targets.tokens, targets.lengths)


@dataclass(frozen=True, slots=True, eq=False)
class CtcCrf:
    """The CTC loss plus a share of the log-probability of all sequences; see `denominator`.

    Attributes:
        denominator_weight: The share: 0 is CTC, 1 is CTC-CRF.
        trigram: (V, V, V) float64: how probable each token is after any two others.
    """

    head: str
    weight: float
    denominator_weight: float
    trigram: Tensor

    def __call__(self, log_probs: Tensor, lengths: Tensor, targets: Targets) -> Tensor:
        """Compute minus the log-probability of each token sequence relative to all, (B,) nats."""
        losses = ctc_loss(log_probs, lengths, targets.tokens, targets.lengths)
        return losses + self.denominator_weight * log_denominator(log_probs, lengths, self.trigram)


def make_terms(
    objective: Mapping[str, TermConfig],
    targets: Mapping[str, Iterable[Sequence[int]]],
    n_tokens: Mapping[str, int],
) -> list[LossTerm]:
    """Make the loss terms that a configuration lists.

    Args:
        objective: The configuration of each head's loss.
        targets: By head, the token ids of all training texts.
        n_tokens: By head, V.

    Returns:
        In the objective's order, but that of the text first: its loss is reported beside that of
        the dev set, and per token of it the gradient is taken.

    Raises:
        ConfigError: CTC-CRF is asked for of more than `MAX_CRF_TOKENS` tokens.
    """
    terms: list[LossTerm] = []
    for head, config in sorted(objective.items(), key=lambda item: item[0] != TEXT_HEAD):
        if isinstance(config, CtcCrfConfig):
            if n_tokens[head] > MAX_CRF_TOKENS:
                raise ConfigError(
                    f'objective.{head}: loss = "ctc-crf" weighs every three tokens, and so takes '
                    f"at most {MAX_CRF_TOKENS}, as phones or letters are; the head has "
                    f'{n_tokens[head]:,}: use loss = "ctc" for it'
                )
            trigram = torch.from_numpy(dense_trigram(targets[head], n_tokens[head]))
            terms.append(CtcCrf(head, config.weight, config.denominator_weight, trigram))
        else:
            terms.append(Ctc(head, config.weight))
    return terms
