"""Validation: greedy WER on the dev set, on the weights as they are."""

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import torch

from asr.model.acoustic import AcousticModel
from asr.search.greedy import greedy_search
from asr.text.tokens import Tokenizer
from asr.train.step import TrainingBatch
from asr.wer.alignment import Counts, count_errors


def count_word_errors(
    model: AcousticModel,
    batches: Iterable[TrainingBatch],
    references: Mapping[str, str],
    tokenizer: Tokenizer,
    pool: ThreadPoolExecutor,
    n_threads: int,
) -> Iterator[Counts]:
    """Count word errors of greedy search, batch by batch.

    Args:
        model: Decodes in float32, without dropout.
        batches: The dev set, not augmented.
        references: Normalised text by utterance id.
        tokenizer: Reads the model's tokens as text.
        pool: Its threads decode a batch each.
        n_threads: Batches to decode at a time.

    Yields:
        Counts of each batch; their sum is the dev set's.
    """

    def count(batch: TrainingBatch) -> Counts:
        with torch.inference_mode():
            hypotheses = greedy_search(*model(batch.features, batch.lengths))
        return sum(
            (
                count_errors(references[name], tokenizer.decode(hypothesis.tokens))
                for name, hypothesis in zip(batch.ids, hypotheses, strict=True)
            ),
            start=Counts(),
        )

    waiting = iter(batches)
    while some := list(islice(waiting, n_threads)):
        yield from pool.map(count, some)
