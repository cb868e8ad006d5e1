"""Training data: utterances become batches of features and tokens, ahead of their use."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch

from asr.corpus.batching import BatchingConfig, Rendition, draw_renditions, plan_batches
from asr.corpus.feature_memory import FeatureMemory
from asr.corpus.loader import prefetch
from asr.corpus.statistics import speaker_statistics, stacked_statistics
from asr.corpus.utterance import Utterance
from asr.errors import DataError
from asr.features.cmvn import CmvnStatistics
from asr.features.spec_augment import SpecAugmentConfig, spec_augment
from asr.lengths import pad
from asr.train.step import TrainingBatch

BATCHES_AHEAD = 4  # enough to hide a slow read, little enough to hold in memory


class TrainingData:
    """A set of utterances as batches, epoch by epoch.

    What an epoch holds follows from the seed and its number alone: the order, the renditions and
    the masks. So a resumed run needs no state of the data but the count of batches done.

    Args:
        utterances: With durations.
        tokens: Token ids by utterance id.
        memory: Gives features; global CMVN is estimated already, that of speakers is here.
        batching: Batch size, renditions and seed.
        augment: Masks to lay over the features; None for a dev set.
    """

    def __init__(
        self,
        utterances: Sequence[Utterance],
        tokens: Mapping[str, Sequence[int]],
        memory: FeatureMemory,
        batching: BatchingConfig,
        augment: SpecAugmentConfig | None = None,
    ) -> None:
        missing = [utterance.id for utterance in utterances if utterance.duration is None]
        if missing:
            raise DataError(f"no duration for {', '.join(missing[:5])}: prepare the manifest again")
        self.utterances = utterances
        self.tokens = {name: torch.tensor(ids, dtype=torch.int64) for name, ids in tokens.items()}
        self.memory, self.front_end = memory, memory.front_end
        self.batching = batching
        self._speakers: dict[str, CmvnStatistics] | None = None
        if self.front_end.config.cmvn == "speaker":
            self._speakers = speaker_statistics(self.front_end, utterances)
        self.augment = augment

    def n_batches(self, epoch: int) -> int:
        """Count the batches of an epoch."""
        return len(self._plan(epoch).batches)

    def batches(self, epoch: int, start: int = 0) -> Iterator[TrainingBatch]:
        """Yield the batches of an epoch from number `start` on."""
        plan = self._plan(epoch)
        numbers = range(start, len(plan.batches))
        return prefetch(lambda number: self._load(plan, number), numbers, depth=BATCHES_AHEAD)

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
        indices = plan.batches[number]
        seed = _number(f"{self.batching.seed} {plan.epoch} {number}")
        strength = self.batching.strength(plan.epoch)
        utterances = [self.utterances[index] for index in indices]
        features, lengths = pad(
            [self.memory.features(self.utterances[i], plan.renditions[i]) for i in indices]
        )
        features = self.front_end.normalise(features, lengths, self._speaker_rows(utterances))
        if self.augment is not None:
            generator = torch.Generator().manual_seed(seed)
            features = spec_augment(
                features,
                lengths,
                self.augment,
                frame_shift=self.front_end.config.frame_shift,
                generator=generator,
                strength=strength,
            )
        ids = tuple(utterance.id for utterance in utterances)
        tokens, token_lengths = pad([self.tokens[name] for name in ids])
        duration = sum(utterance.duration or 0.0 for utterance in utterances)
        return TrainingBatch(
            ids, features, lengths, tokens, token_lengths, duration, seed, strength
        )

    def _speaker_rows(self, utterances: Sequence[Utterance]) -> CmvnStatistics | None:
        if self._speakers is None:
            return None
        return stacked_statistics(self._speakers, utterances, self.front_end.n_features)


@dataclass(frozen=True, slots=True)
class _Plan:
    """An epoch: which utterances, by index, make up each batch, and how each is played."""

    epoch: int
    batches: list[list[int]]
    renditions: list[Rendition]


def _number(seed: str) -> int:
    """Turn a seed in words into one in 63 bits, the same on every machine."""
    return int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8]) >> 1
