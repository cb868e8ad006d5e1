"""Training data: utterances become batches of features and tokens, ahead of their use."""

import dataclasses
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from asr.corpus.batching import BatchingConfig, Rendition, draw_renditions, plan_batches
from asr.corpus.feature_memory import FeatureMemory
from asr.corpus.loader import prefetch
from asr.corpus.statistics import speaker_statistics, stacked_statistics
from asr.corpus.utterance import Utterance
from asr.errors import DataError
from asr.features.cmvn import CmvnStatistics
from asr.features.spec_augment import SpecAugmentConfig, spec_augment
from asr.features.vocal_tract import draw_factors, warp_frequencies
from asr.lengths import pad
from asr.model.acoustic import Output
from asr.text.normalise import Normaliser
from asr.train.ranks import ALONE, Ranks
from asr.train.step import Targets, TrainingBatch

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
        phone_trigram: (V, V, V), of `dense_trigram` of the texts' phones; None where nothing asks
            how probable these are behind one another.
    """

    ranks: Ranks
    phone_trigram: Tensor | None

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
        tokens: Token ids by utterance id, for each output of the model.
        memory: Gives features; global CMVN is estimated already, that of speakers is here.
        batching: Batch size, renditions and seed.
        augment: Masks to lay over the features; None for a dev set.
        ranks: Who shares each batch.
        phone_trigram: As `TrainingBatches` says.
    """

    def __init__(
        self,
        utterances: Sequence[Utterance],
        tokens: Mapping[Output, Mapping[str, Sequence[int]]],
        memory: FeatureMemory,
        batching: BatchingConfig,
        augment: SpecAugmentConfig | None = None,
        ranks: Ranks = ALONE,
        phone_trigram: Tensor | None = None,
    ) -> None:
        missing = [utterance.id for utterance in utterances if utterance.duration is None]
        if missing:
            raise DataError(f"no duration for {', '.join(missing[:5])}: prepare the manifest again")
        self.utterances = utterances
        self.tokens = {
            output: {name: torch.tensor(ids, dtype=torch.int64) for name, ids in own.items()}
            for output, own in tokens.items()
        }
        self.memory, self.front_end = memory, memory.front_end
        self.batching = batching
        self._speakers: dict[str, CmvnStatistics] | None = None
        if self.front_end.config.cmvn == "speaker":
            self._speakers = speaker_statistics(self.front_end, utterances)
        self.augment, self.ranks = augment, ranks
        self.phone_trigram = phone_trigram

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
        batching = self.batching
        renditions = draw_renditions(len(self.utterances), batching, epoch)
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
            output: Targets(*pad([own[name] for name in ids]))[rows]
            for output, own in self.tokens.items()
        }
        return TrainingBatch(
            ids=ids,
            rows=rows,
            features=features,
            lengths=lengths,
            targets=targets,
            duration=sum(self.utterances[index].duration or 0.0 for index in whole),
            seed=number_of(f"{self.batching.seed} {plan.epoch} {number}"),
            strength=self.batching.strength(plan.epoch),
        )

    def _features(self, plan: "_Plan", indices: Sequence[int]) -> tuple[Tensor, Tensor]:
        if not indices:  # the batch has fewer utterances than there are ranks
            return torch.zeros(0, 0, self.front_end.n_features), torch.zeros(0, dtype=torch.int64)
        features, lengths = pad(
            [self.memory.features(self.utterances[i], plan.renditions[i]) for i in indices]
        )
        speakers = self._speaker_rows([self.utterances[index] for index in indices])
        return self.front_end.normalise(features, lengths, speakers), lengths

    def _augmented(self, batch: TrainingBatch) -> TrainingBatch:
        """Move a batch to the device, change its voices, and lay masks over it.

        Both are drawn for all rows of the batch.
        """
        batch = batch.to(self.ranks.device)
        if self.augment is None:
            return batch
        features = batch.features
        if self.augment.max_frequency_warp > 0:
            generator = torch.Generator().manual_seed(number_of(f"vocal tracts {batch.seed}"))
            factors = draw_factors(
                len(batch.ids), self.augment.max_frequency_warp, generator, batch.strength
            )
            features = warp_frequencies(features, factors[batch.rows], self.front_end.config.band)
        features = spec_augment(
            features,
            self.ranks.gather(batch.lengths, len(batch.ids)),
            self.augment,
            frame_shift=self.front_end.config.frame_shift,
            generator=torch.Generator().manual_seed(batch.seed),
            strength=batch.strength,
            rows=batch.rows,
        )
        return dataclasses.replace(batch, features=features)

    def _speaker_rows(self, utterances: Sequence[Utterance]) -> CmvnStatistics | None:
        if self._speakers is None:
            return None
        return stacked_statistics(self._speakers, utterances, self.front_end.n_features)


def as_recorded(
    utterances: Sequence[Utterance],
    memory: FeatureMemory,
    batching: BatchingConfig,
    ranks: Ranks = ALONE,
) -> TrainingData:
    """Batch utterances as they were recorded, without masks, and without their tokens."""
    plain = dataclasses.replace(
        batching, speeds=(1.0,), codec_share=0.0, noise_share=0.0, reverb_share=0.0
    )
    nothing: dict[str, list[int]] = {utterance.id: [] for utterance in utterances}
    return TrainingData(utterances, {"text": nothing}, memory, plain, ranks=ranks)


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
