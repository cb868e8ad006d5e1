"""Validation: greedy WER on the dev set, on the weights as they are."""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

import torch

from asr.model.acoustic import AcousticModel
from asr.search.greedy import greedy_search
from asr.text.tokens import Tokenizer
from asr.train.step import TrainingBatch, Workers
from asr.wer.alignment import Counts, count_errors


def count_word_errors(
    model: AcousticModel,
    batches: Iterable[TrainingBatch],
    references: Mapping[str, str],
    tokenizer: Tokenizer,
    workers: Workers,
) -> Iterator[Counts]:
    """Count word errors of greedy search, batch by batch.

    Args:
        model: Decodes in float32, without dropout.
        batches: The dev set, not augmented.
        references: Normalised text by utterance id.
        tokenizer: Reads the model's tokens as text.
        workers: Each process decodes its rows of a batch, and each of its threads a batch.

    Yields:
        Counts of each whole batch; their sum is the dev set's.

    Raises:
        TrainingError: Another process ended.
    """

    def count(batch: TrainingBatch) -> Counts:
        if not len(batch.lengths):
            return Counts()
        with torch.inference_mode():
            hypotheses = greedy_search(*model(batch.features, batch.lengths))
        return sum(
            (
                count_errors(references[name], tokenizer.decode(hypothesis.tokens))
                for name, hypothesis in zip(batch.ids[batch.rows], hypotheses, strict=True)
            ),
            start=Counts(),
        )

    waiting = iter(batches)
    while some := list(islice(waiting, workers.n_shards)):
        for own in workers.pool.map(count, some):
            (total,) = workers.ranks.add([torch.tensor(dataclasses.astuple(own))])
            yield Counts(*total.tolist())
