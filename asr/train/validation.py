"""Validation: greedy WER on the dev set, on the weights as they are."""

from collections.abc import Callable, Iterable, Mapping

import torch

from asr.model.acoustic import AcousticModel
from asr.search.greedy import greedy_search
from asr.text.tokens import Tokenizer
from asr.train.step import TrainingBatch
from asr.wer.alignment import Counts, count_errors


def validate(
    model: AcousticModel,
    batches: Iterable[TrainingBatch],
    references: Mapping[str, str],
    tokenizer: Tokenizer,
    advance: Callable[[int], None],
) -> Counts:
    """Count word errors of greedy search.

    Args:
        model: Left in training mode.
        batches: The dev set, not augmented.
        references: Normalised text by utterance id.
        tokenizer: Reads the model's tokens as text.
        advance: Told the number of utterances done, batch by batch.

    Returns:
        Counts summed over the dev set.
    """
    counts = Counts(0, 0, 0, 0)
    model.eval()
    for batch in batches:
        with torch.inference_mode():
            hypotheses = greedy_search(*model(batch.features, batch.lengths))
        for name, hypothesis in zip(batch.ids, hypotheses, strict=True):
            counts += count_errors(references[name], tokenizer.decode(hypothesis.tokens))
        advance(len(batch.ids))
    model.train()
    return counts
