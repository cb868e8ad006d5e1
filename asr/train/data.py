"""Training data: utterances become batches of features and tokens, ahead of their use."""

import dataclasses
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from asr.augment.config import AugmentConfig
from asr.augment.rendition import AS_RECORDED, Rendition, draw_renditions
from asr.augment.spec_augment import spec_augment
from asr.corpus.batching import BatchingConfig, plan_batches
from asr.corpus.feature_cache import FeatureCache
from asr.corpus.loader import prefetch
from asr.corpus.utterance import Utterance
from asr.errors import DataError
from asr.features.padding import pad
from asr.text.normalise import Normaliser
from asr.train.objective import Targets
from asr.train.ranks import ALONE, Ranks
from asr.train.step import TrainingBatch

BATCHES_AHEAD = 4  # enough to hide a slow read, little enough to hold in memory
LOADERS = {"cpu": 1, "cuda": 4}  # threads; a GPU trains faster than one can read, and spares cores


class Batches(Protocol):
    """Anything that comes in batches, epoch by epoch, the same again whenever it is asked for."""

    def batches(self, epoch: int, start: int = 0) -> Iterator[TrainingBatch]:
        """Yield the batches of an epoch from number `start` on."""


class TrainingBatches(Batches, Protocol):
    """What a model can be trained on.

    Attributes:
        ranks: Who shares each batch.
    """

    ranks: Ranks

    def n_batches(self, epoch: int) -> int:
        """Count the batches of an epoch."""

    def duration(self, epoch: int) -> float:
        """Tell how many seconds of speech an epoch has."""


class TrainingData:
    """A set of utterances as batches, epoch by epoch.

    What an epoch holds follows from the seed and its number alone: the order, the renditions and
    the masks. So a resumed run needs no state of the data but the count of batches done.

    Args:
        utterances: With durations.
        tokens: Token ids by utterance id, for each head of the model.
        cache: Gives features.
        batching: Batch size, order and seed.
        augment: How the speech is varied; None takes it as recorded, as a dev set is.
        ranks: Who shares each batch.
    """

    def __init__(
        self,
        utterances: Sequence[Utterance],
        tokens: Mapping[str, Mapping[str, Sequence[int]]],
        cache: FeatureCache,
        batching: BatchingConfig,
        augment: AugmentConfig | None = None,
        ranks: Ranks = ALONE,
    ) -> None:
        missing = [utterance.id for utterance in utterances if utterance.duration is None]
        if missing:
            raise DataError(f"no duration for {', '.join(missing[:5])}: prepare the manifest again")
        self.utterances = utterances
        self.tokens = {
            head: {name: torch.tensor(ids, dtype=torch.int64) for name, ids in own.items()}
            for head, own in tokens.items()
        }
        self.cache, self.front_end = cache, cache.front_end
        self.batching = batching
        self.augment, self.ranks = augment, ranks

    def n_batches(self, epoch: int) -> int:
        """Count the batches of an epoch."""
        return len(self._plan(epoch).batches)

    def duration(self, epoch: int) -> float:  # noqa: ARG002 -- the same in every one
        """Tell how many seconds of speech an epoch has, as recorded."""
        return sum(utterance.duration or 0.0 for utterance in self.utterances)

    def batches(self, epoch: int, start: int = 0) -> Iterator[TrainingBatch]:
        """Yield the batches of an epoch from number `start` on: of each, the rows of this rank.

        Every rank has as many batches, and must take them in step with the others.
        """
        plan = self._plan(epoch)
        numbers = range(start, len(plan.batches))
        ahead = prefetch(
            lambda number: self._load(plan, number),
            numbers,
            depth=BATCHES_AHEAD,
            n_threads=LOADERS[self.ranks.device.type],
        )
        return map(self._augmented, ahead)

    def _plan(self, epoch: int) -> "_Plan":
        batching, augment = self.batching, self.augment
        renditions = [AS_RECORDED] * len(self.utterances)
        if augment is not None:
            renditions = draw_renditions(
                len(self.utterances), augment, seed=batching.seed, epoch=epoch
            )
        durations = [
            (utterance.duration or 0.0) / rendition.speed
            for utterance, rendition in zip(self.utterances, renditions, strict=True)
        ]
        batches = plan_batches(
            durations,
            batching.batch_duration,
            batching.seed,
            epoch,
            sorted_first=batching.sorted_first,
        )
        return _Plan(epoch, batches, renditions)

    def _load(self, plan: "_Plan", number: int) -> TrainingBatch:
        whole = plan.batches[number]
        rows = self.ranks.rows(len(whole))
        features, lengths = self._features(plan, whole[rows])
        ids = tuple(self.utterances[index].id for index in whole)
        targets = {
            head: Targets(*pad([own[name] for name in ids]))[rows]
            for head, own in self.tokens.items()
        }
        return TrainingBatch(
            ids=ids,
            rows=rows,
            features=features,
            lengths=lengths,
            targets=targets,
            duration=sum(self.utterances[index].duration or 0.0 for index in whole),
            seed=number_of(f"{self.batching.seed} {plan.epoch} {number}"),
            strength=self.augment.strength(plan.epoch) if self.augment else 0.0,
        )

    def _features(self, plan: "_Plan", indices: Sequence[int]) -> tuple[Tensor, Tensor]:
        if not indices:  # the batch has fewer utterances than there are ranks
            return torch.zeros(0, 0, self.front_end.n_features), torch.zeros(0, dtype=torch.int64)
        features, lengths = pad(
            [self.cache.features(self.utterances[i], plan.renditions[i]) for i in indices]
        )
        return self.front_end.normalise(features, lengths), lengths

    def _augmented(self, batch: TrainingBatch) -> TrainingBatch:
        """Move a batch to the device and mask it; masks are drawn for all rows of the batch."""
        batch = batch.to(self.ranks.device)
        if self.augment is None:
            return batch
        features = spec_augment(
            batch.features,
            self.ranks.gather(batch.lengths, len(batch.ids)),
            self.augment,
            frame_shift=self.front_end.config.frame_shift,
            generator=torch.Generator().manual_seed(batch.seed),
            strength=batch.strength,
            rows=batch.rows,
        )
        return dataclasses.replace(batch, features=features)


def evenly(utterances: Sequence[Utterance], n_most: int) -> Sequence[Utterance]:
    """Choose at most so many utterances, evenly spread."""
    return utterances[:: -(-len(utterances) // n_most)]


def normalised_texts(utterances: Sequence[Utterance], normalise: Normaliser) -> dict[str, str]:
    """Give the normalised texts by utterance id.

    Raises:
        DataError: There is no utterance, or one has no text.
    """
    untold = [utterance.id for utterance in utterances if utterance.text is None]
    if untold or not utterances:
        what = f"{', '.join(untold[:5])} without a text" if untold else "an empty manifest"
        raise DataError(f"training needs utterances with texts, got {what}")
    return {utterance.id: normalise(utterance.text or "") for utterance in utterances}


def dev_references(utterances: Sequence[Utterance], normalise: Normaliser) -> dict[str, str]:
    """Give the normalised texts by utterance id of a dev set.

    Raises:
        DataError: An utterance has no text, or all of them have no words.
    """
    references = normalised_texts(utterances, normalise)
    if not any(references.values()):
        raise DataError("the dev set has no words, without which there is no WER to choose by")
    return references


@dataclass(frozen=True, slots=True)
class _Plan:
    """An epoch: which utterances, by index, make up each batch, and how each is played."""

    epoch: int
    batches: list[list[int]]
    renditions: list[Rendition]


def number_of(seed: str) -> int:
    """Turn a seed in words into one in 63 bits, the same on every machine."""
    return int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8]) >> 1
