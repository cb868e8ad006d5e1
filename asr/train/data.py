"""Training data: utterances become batches of features and tokens, computed ahead."""

import dataclasses
import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from asr.augment.config import AugmentConfig
from asr.augment.rendition import AS_RECORDED, Rendition, draw_renditions
from asr.augment.spec_augment import spec_augment
from asr.augment.surroundings import NO_SURROUNDINGS, Surroundings
from asr.corpus.batching import BatchingConfig, plan_batches
from asr.corpus.feature_cache import FeatureCache
from asr.corpus.loader import prefetch
from asr.corpus.utterance import Utterance, evenly
from asr.errors import DataError, shortened
from asr.features.padding import pad, padded_length
from asr.text.normalise import Normaliser
from asr.train.objective import Targets
from asr.train.ranks import ALONE, Ranks
from asr.train.step import TrainingBatch

BATCHES_AHEAD = 4  # enough to hide a slow read, few enough for the memory
BABBLE_UTTERANCES = 64  # evenly spread over the set
LOADERS = {"cpu": 1, "cuda": 4}  # threads; a GPU trains faster than one can read, and spares cores


class TrainingData:
    """A set of utterances as batches, epoch by epoch.

    What an epoch holds follows from the seed and its number alone: the order, the renditions and
    the masks. So a resumed run needs no state of the data but the count of batches done.

    Args:
        utterances: With durations.
        tokens: Token ids by utterance id, for each head of the model.
        joints: For each head, the tokens between those of two utterances that are joined.
        cache: Computes features.
        batching: Batch size, order and seed.
        augment: How the speech is varied; None takes it as recorded, as for a dev set.
        ranks: The processes that share each batch.

    Attributes:
        duration: Seconds of speech in an epoch, as recorded.
        surroundings: The noises and rooms that renditions are drawn from; they follow from the
            seed and the utterances.

    Raises:
        DataError: An utterance has no duration, or all are silent where babble is to be made.
        AudioError: A recording cannot be read.
    """

    def __init__(
        self,
        utterances: Sequence[Utterance],
        tokens: Mapping[str, Mapping[str, Sequence[int]]],
        joints: Mapping[str, Sequence[int]],
        cache: FeatureCache,
        batching: BatchingConfig,
        augment: AugmentConfig | None = None,
        ranks: Ranks = ALONE,
    ) -> None:
        missing = [utterance.id for utterance in utterances if utterance.duration is None]
        if missing:
            raise DataError(f"no duration for {shortened(missing)}: `asr prepare` fills it in")
        self.utterances = utterances
        self.duration = sum(utterance.duration or 0.0 for utterance in utterances)
        self.tokens = {
            head: {name: torch.tensor(ids, dtype=torch.int64) for name, ids in own.items()}
            for head, own in tokens.items()
        }
        self.joints = {head: torch.tensor(own, dtype=torch.int64) for head, own in joints.items()}
        self.cache, self.front_end = cache, cache.front_end
        self.batching = batching
        self.augment, self.ranks = augment, ranks
        self.surroundings = self._surroundings()

    def n_batches(self, epoch: int) -> int:
        """Count the batches of an epoch."""
        return len(self._plan(epoch).batches)

    def is_without_speech(self, epoch: int) -> bool:
        """Tell whether something that is no speech replaces every utterance of an epoch."""
        return all(each.no_speech is not None for each in self._plan(epoch).renditions)

    def batches(self, epoch: int, start: int = 0) -> Iterator[TrainingBatch]:
        """Yield this rank's rows of the batches of an epoch, from number `start` on.

        Every rank has the same number of batches, and must take them in step with the others.
        """
        plan = self._plan(epoch)
        ahead = prefetch(
            lambda number: self._load(plan, number),
            range(start, len(plan.batches)),
            depth=BATCHES_AHEAD,
            n_threads=LOADERS[self.ranks.device.type],
            begin=torch.get_num_threads,  # see `shard_threads`
        )
        return map(self._augmented, ahead)

    def _surroundings(self) -> Surroundings:
        if self.augment is None:
            return NO_SURROUNDINGS
        rate = self.front_end.config.sample_rate

        def speech() -> list[NDArray[np.float32]]:
            some = evenly(self.utterances, BABBLE_UTTERANCES)
            waveforms = [self.cache.waveform(utterance) for utterance in some]
            return [waveform for waveform in waveforms if len(waveform)]

        return Surroundings.make(self.augment, rate, self.batching.seed, speech)

    def _plan(self, epoch: int) -> "_Plan":
        batching, augment = self.batching, self.augment
        renditions = [AS_RECORDED] * len(self.utterances)
        if augment is not None:
            renditions = draw_renditions(
                len(self.utterances), augment, seed=batching.seed, epoch=epoch
            )
        followers = [rendition.follower(len(self.utterances)) for rendition in renditions]
        durations = [
            rendition.duration(
                utterance.duration or 0.0,
                None if follower is None else self.utterances[follower].duration,
            )
            for utterance, rendition, follower in zip(
                self.utterances, renditions, followers, strict=True
            )
        ]
        return _Plan(epoch, plan_batches(durations, batching, epoch), renditions, followers)

    def _load(self, plan: "_Plan", number: int) -> TrainingBatch:
        whole = plan.batches[number]
        rows = self.ranks.rows(len(whole))
        features, lengths = self._features(plan, whole[rows])
        targets = {
            head: Targets(*pad([self._target(plan, i, head) for i in whole]))[rows]
            for head in self.tokens
        }
        return TrainingBatch(
            ids=tuple(self.utterances[index].id for index in whole),
            rows=rows,
            features=features,
            lengths=lengths,
            targets=targets,
            duration=sum(self.utterances[index].duration or 0.0 for index in whole),
            seed=_seed(f"{self.batching.seed} {plan.epoch} {number}"),
            strength=self.augment.strength(plan.epoch) if self.augment else 0.0,
        )

    def _features(self, plan: "_Plan", indices: Sequence[int]) -> tuple[Tensor, Tensor]:
        if not indices:  # the batch has fewer utterances than there are ranks
            return torch.zeros(0, 0, self.front_end.n_features), torch.zeros(0, dtype=torch.int64)
        features, lengths = pad([self._features_of(plan, i) for i in indices])
        n_frames = max(1, features.shape[1])  # none, if recordings are too short, or damaged
        n_missing = padded_length(n_frames) - features.shape[1]
        features = functional.pad(features, (0, 0, 0, n_missing))
        return self.front_end.normalise(features, lengths), lengths

    def _features_of(self, plan: "_Plan", index: int) -> Tensor:
        """Return the features of an utterance, (T, F), and of what is joined to it."""
        follower = plan.followers[index]
        return self.cache.features(
            self.utterances[index],
            plan.renditions[index],
            self.surroundings,
            None if follower is None else self.utterances[follower],
        )

    def _target(self, plan: "_Plan", index: int, head: str) -> Tensor:
        """Return the tokens of what is heard, (U,); none where it is replaced by no speech."""
        own, follower = self.tokens[head][self.utterances[index].id], plan.followers[index]
        if plan.renditions[index].no_speech is not None:
            return own[:0]
        if follower is None:
            return own
        other = self.tokens[head][self.utterances[follower].id]
        joint = self.joints[head] if len(own) and len(other) else other[:0]
        return torch.cat([own, joint, other])

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


def normalised_texts(utterances: Sequence[Utterance], normalise: Normaliser) -> dict[str, str]:
    """Normalise the texts; return them by utterance id.

    Raises:
        DataError: There is no utterance, one has no text, or two have the same id.
    """
    without = [utterance.id for utterance in utterances if utterance.text is None]
    if without or not utterances:
        got = f"{shortened(without)} without a text" if without else "an empty manifest"
        raise DataError(f"training needs utterances with texts, got {got}")
    texts = {utterance.id: normalise(utterance.text or "") for utterance in utterances}
    if len(texts) < len(utterances):
        counts = Counter(utterance.id for utterance in utterances)
        repeated = [name for name, n in counts.items() if n > 1]
        raise DataError(f"two utterances have the same id: {shortened(repeated)}")
    return texts


@dataclass(frozen=True, slots=True)
class _Plan:
    """An epoch: batches of utterances by index; each one's rendition, and what is joined to it."""

    epoch: int
    batches: list[list[int]]
    renditions: list[Rendition]
    followers: list[int | None]


def _seed(origin: str) -> int:
    """Hash a text to 63 bits, the same on every machine."""
    return int.from_bytes(hashlib.sha256(origin.encode()).digest()[:8]) >> 1
