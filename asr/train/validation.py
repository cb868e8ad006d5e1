"""Validation: CTC loss and greedy WER on the dev set, with the weights as they are."""

from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass, field
from itertools import islice
from typing import Self

import torch

from asr.config import TEXT_HEAD
from asr.model.acoustic import AcousticModel
from asr.model.ctc import ctc_loss, is_alignable
from asr.search.greedy import greedy_search
from asr.text.tokenizer import Tokenizer
from asr.train.data import TrainingData
from asr.train.step import TrainingBatch, Workers
from asr.wer.alignment import Counts, count_errors


@dataclass(frozen=True, slots=True)
class DevSet:
    """The utterances that a model is validated on while it trains.

    Attributes:
        data: Utterances as batches, not augmented, with the tokens of their texts.
        references: Normalised text by utterance id.
        tokenizer: Of the text head.
    """

    data: TrainingData
    references: Mapping[str, str]
    tokenizer: Tokenizer


@dataclass(frozen=True, slots=True)
class DevErrors:
    """Sums over some utterances of a dev set.

    Attributes:
        words: Errors of greedy search.
        loss: CTC's, nats, over the utterances that the tokens can spell and the frames can hold.
        n_tokens: Reference tokens in that loss.
    """

    words: Counts = field(default_factory=Counts)
    loss: float = 0.0
    n_tokens: int = 0

    def __add__(self, other: Self) -> "DevErrors":
        """Add the sums of other utterances."""
        return DevErrors(
            self.words + other.words, self.loss + other.loss, self.n_tokens + other.n_tokens
        )

    @property
    def mean_loss(self) -> float | None:
        """Nats per reference token; None if there is none."""
        return self.loss / self.n_tokens if self.n_tokens else None


def validate(model: AcousticModel, dev: DevSet, workers: Workers) -> Iterator[DevErrors]:
    """Decode a dev set greedily and score it, batch by batch.

    Args:
        model: Decodes in float32, without dropout.
        dev: The dev set.
        workers: Each process decodes its rows of a batch, and each of its threads a batch.

    Yields:
        Sums over each whole batch; their sum is the dev set's.

    Raises:
        TrainingError: Another process ended.
    """
    waiting = dev.data.batches(0)
    while some := list(islice(waiting, workers.n_shards)):
        for own in workers.pool.map(lambda batch: _errors(model, batch, dev), some):
            sums = [*astuple(own.words), own.loss, own.n_tokens]
            (total,) = workers.ranks.add([torch.tensor(sums, dtype=torch.float64)])
            *numbers, loss, n_tokens = total.tolist()
            yield DevErrors(Counts(*map(int, numbers)), loss, int(n_tokens))


def _errors(model: AcousticModel, batch: TrainingBatch, dev: DevSet) -> DevErrors:
    if not len(batch.lengths):
        return DevErrors()
    with torch.inference_mode():
        log_probs, lengths = model(batch.features, batch.lengths, TEXT_HEAD)
        targets = batch.targets[TEXT_HEAD]
        is_scored = is_alignable(lengths, targets.tokens, targets.lengths) & (targets.lengths > 0)
        losses = ctc_loss(log_probs, lengths, targets.tokens, targets.lengths)[is_scored]
    hypotheses = greedy_search(log_probs.cpu().numpy(), lengths.cpu().numpy())
    words = Counts()
    for name, hypothesis in zip(batch.ids[batch.rows], hypotheses, strict=True):
        words += count_errors(dev.references[name], dev.tokenizer.decode(hypothesis.tokens))
    return DevErrors(words, float(losses.sum()), int(targets.lengths[is_scored].sum()))
