"""Pronounced text: text as an acoustic model would hear it, in batches, epoch by epoch.

A recording takes a person; what a model hears of phones it has heard before takes a lexicon. So a
speller can read a library for every hour of speech that its acoustic model was trained on.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from asr.corpus.batching import plan_batches
from asr.corpus.loader import prefetch
from asr.errors import ConfigError
from asr.lengths import pad
from asr.spelling.heard_phones import HeardPhones, Integers, Said
from asr.spelling.phone_features import phone_features
from asr.spelling.pronounceable import PronounceableText
from asr.text.tokens import Tokenizer
from asr.train.data import BATCHES_AHEAD, number_of
from asr.train.ranks import ALONE
from asr.train.step import Targets, TrainingBatch


@dataclass(frozen=True, slots=True)
class PronouncingConfig:
    """How text is said.

    Attributes:
        n_hearings: How often the training speech is listened to, for pieces to say text with.
        n_utterances: Utterances of an epoch.
        min_words: Of an utterance. It begins where a segment does, and may go on in the next ones.
        max_words: Of an utterance.
        batch_duration: Seconds of speech in a batch, padding included.
        seed: Of what is said, and of the pieces.
    """

    n_hearings: int
    n_utterances: int
    min_words: int
    max_words: int
    batch_duration: float
    seed: int

    def __post_init__(self) -> None:
        """Refuse what cannot be said."""
        for name in ("n_hearings", "n_utterances", "min_words"):
            if getattr(self, name) < 1:
                raise ConfigError(
                    f"pronouncing.{name} must be at least 1, got {getattr(self, name)}"
                )
        if self.max_words < self.min_words:
            raise ConfigError(
                f"pronouncing.max_words must be at least min_words, {self.min_words}, "
                f"got {self.max_words}"
            )
        if not self.batch_duration > 0:
            raise ConfigError(
                f"pronouncing.batch_duration must be above 0, got {self.batch_duration}"
            )


class PronouncedText:
    """Text in batches of phone features and tokens, another part of it in every epoch.

    What an epoch holds follows from the seed and its number alone.

    Args:
        text: What to say.
        heard: What it is said with.
        tokenizer: Spells it.
        config: How.
        frame_shift: Seconds from one frame of `heard` to the next.
    """

    ranks = ALONE
    phone_trigram: Tensor | None = None

    def __init__(
        self,
        text: PronounceableText,
        heard: HeardPhones,
        tokenizer: Tokenizer,
        config: PronouncingConfig,
        frame_shift: float,
    ) -> None:
        self.text, self.heard, self.tokenizer, self.config = text, heard, tokenizer, config
        self.frame_shift = frame_shift
        self._plans: dict[int, _Plan] = {}  # of the last epoch asked for

    def duration(self, epoch: int) -> float:
        """Tell how many seconds of speech an epoch has."""
        return self.frame_shift * sum(map(len, self._plan(epoch).frames))

    def n_batches(self, epoch: int) -> int:
        """Count the batches of an epoch."""
        return len(self._plan(epoch).batches)

    def batches(self, epoch: int, start: int = 0) -> Iterator[TrainingBatch]:
        """Yield the batches of an epoch from number `start` on."""
        plan = self._plan(epoch)
        numbers = range(start, len(plan.batches))
        return prefetch(lambda number: self._load(plan, number), numbers, depth=BATCHES_AHEAD)

    def _plan(self, epoch: int) -> "_Plan":
        if epoch not in self._plans:
            self._plans = {epoch: self._make_plan(epoch)}
        return self._plans[epoch]

    def _make_plan(self, epoch: int) -> "_Plan":
        config = self.config
        draw = random.Random(f"pronounced text {config.seed} {epoch}").random
        chances = torch.Generator().manual_seed(number_of(f"pieces {config.seed} {epoch}"))
        words, frames = [], []
        for _ in range(config.n_utterances):
            n_words = config.min_words + int(draw() * (config.max_words - config.min_words + 1))
            run = self.text.run(int(draw() * len(self.text.starts)), n_words)
            said = Said.of([self.text.phones[word] for word in run])
            hearing = int(draw() * self.heard.n_hearings)
            words.append(run)
            frames.append(
                self.heard.say(
                    said,
                    hearing,
                    lambda n: torch.rand(n, dtype=torch.float64, generator=chances).numpy(),
                )
            )
        durations = [self.frame_shift * len(own) for own in frames]
        batches = plan_batches(durations, config.batch_duration, config.seed, epoch)
        return _Plan(epoch, words, frames, batches)

    def _load(self, plan: "_Plan", number: int) -> TrainingBatch:
        rows = plan.batches[number]
        emissions = [torch.from_numpy(self.heard.log_probs[plan.frames[row]]) for row in rows]
        log_probs, lengths = pad(emissions)
        texts = [" ".join(self.text.words[word] for word in plan.words[row]) for row in rows]
        return TrainingBatch(
            ids=tuple(f"{plan.epoch}-{row}" for row in rows),
            rows=slice(0, len(rows)),
            features=phone_features(log_probs),
            lengths=lengths,
            targets={"text": Targets(*pad([self._spell(text) for text in texts]))},
            duration=float(lengths.sum()) * self.frame_shift,
            seed=number_of(f"{self.config.seed} {plan.epoch} {number}"),
            strength=1.0,
        )

    def _spell(self, text: str) -> Tensor:
        return torch.tensor(self.tokenizer.encode(text), dtype=torch.int64)


@dataclass(frozen=True, slots=True)
class _Plan:
    """An epoch: words and frames of each utterance, and which of them make up each batch."""

    epoch: int
    words: list[Integers]
    frames: list[Integers]
    batches: list[list[int]]
