"""Listening: an acoustic model hears its training speech again, and what it heard is cut up."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import islice

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from asr.errors import DataError
from asr.lengths import n_frames_needed
from asr.model.acoustic import AcousticModel
from asr.search.alignment import best_alignment
from asr.search.emission import split_batch
from asr.spelling.heard_phones import HeardPhones, Said, cut_emission
from asr.spelling.phone_features import phone_features
from asr.train.data import Batches
from asr.train.step import TrainingBatch, Workers

OnHeard = Callable[[int, int | None], None]


def listen(
    model: AcousticModel,
    data: Batches,
    said: Mapping[str, Said],
    n_hearings: int,
    workers: Workers,
    on_heard: OnHeard,
) -> HeardPhones:
    """Let a model hear speech through masks and codecs, as it did in training, but with all units.

    Without masks it would hear what it was trained on far better than it hears anything else. With
    dropout it would hear worse, but doubt it more: with strangers it is wrong without a doubt.

    Args:
        model: With an output of phones.
        data: Its training speech; each epoch is another hearing.
        said: What is said, by utterance id. An utterance too fast for its phones is left out.
        n_hearings: How often to listen to all of it.
        workers: Each of their threads takes a batch.
        on_heard: Told after every utterance how many were heard, and how many there are.

    Raises:
        DataError: No utterance could be aligned with its phones, or the model hears NaN.
        AudioError: A recording cannot be read.
    """
    emissions: list[NDArray[np.float16]] = []
    pieces: list[NDArray[np.void]] = []
    n_frames = n_done = 0
    for hearing in range(n_hearings):
        for name, emission in _emissions(model, data, hearing, workers):
            n_done += 1
            on_heard(n_done, n_hearings * len(said))
            phones = said[name].phones.tolist()
            if not phones or len(emission) < n_frames_needed(phones):
                continue
            (checked,) = split_batch(emission[None], torch.tensor([len(emission)]), blank=0)
            alignment, _ = best_alignment(checked, phones, blank=0)
            pieces.append(cut_emission(said[name], alignment, hearing=hearing, start=n_frames))
            emissions.append(emission.half().numpy())
            n_frames += len(emission)
    if not pieces:
        raise DataError("no training utterance is long enough for the phones of its text")
    return HeardPhones(np.concatenate(emissions), np.concatenate(pieces))


class Overheard:
    """Speech as a model hears its phones, without masks and dropout: batches for a speller.

    Args:
        model: With an output of phones.
        data: Its first epoch is heard, once, and kept.
        workers: Each of their threads takes a batch.
    """

    def __init__(self, model: AcousticModel, data: Batches, workers: Workers) -> None:
        def overhear(batch: TrainingBatch) -> TrainingBatch:
            with torch.inference_mode():
                log_probs, lengths = model(batch.features, batch.lengths, "phones")
            return replace(batch, features=phone_features(log_probs), lengths=lengths)

        self._batches = list(workers.pool.map(overhear, data.batches(0)))

    def batches(self, epoch: int, start: int = 0) -> Iterator[TrainingBatch]:  # noqa: ARG002
        """Yield the batches, the same in every epoch."""
        return iter(self._batches[start:])


def _emissions(
    model: AcousticModel, data: Batches, epoch: int, workers: Workers
) -> Iterator[tuple[str, Tensor]]:
    waiting = iter(data.batches(epoch))
    while some := list(islice(waiting, workers.n_shards)):
        for emissions in workers.pool.map(lambda batch: _hear(model, batch), some):
            yield from emissions


def _hear(model: AcousticModel, batch: TrainingBatch) -> list[tuple[str, Tensor]]:
    """Compute what a model hears of a batch: an emission of phones an utterance."""
    with torch.inference_mode():
        log_probs, lengths = model(batch.features, batch.lengths, "phones")
    rows = zip(batch.ids, log_probs, lengths.tolist(), strict=True)
    return [(name, emission[:length]) for name, emission, length in rows]
