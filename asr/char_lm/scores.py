"""Scores: the log-probability of segments, computed in batches, and perplexity."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch

from asr.char_lm.characters import END_ID, CharacterTable
from asr.char_lm.network import CharacterModel
from asr.features.padding import pad, zero_padding

MAX_CHARACTERS = 16_384  # in a batch, padding included

# Calls a function with each batch: `map`, or that of a pool of threads.
Map = Callable[[Callable[[list[str]], list[float]], list[list[str]]], Iterable[list[float]]]


@dataclass(frozen=True, slots=True)
class CharacterPerplexity:
    """How well a model predicts a text, as sums.

    The end of a segment counts as a character, and also as a word, which makes the perplexity per
    word comparable with an n-gram's.

    Attributes:
        n_segments: Segments, each with an end, and each read alone.
        n_words: Words, without ends.
        n_characters: Letters and spaces, without ends.
        log_prob: Natural log of the probability of all characters and ends.
    """

    n_segments: int
    n_words: int
    n_characters: int
    log_prob: float

    @property
    def per_character(self) -> float:
        """Perplexity per character."""
        return math.exp(-self.log_prob / (self.n_characters + self.n_segments))

    @property
    def bits_per_character(self) -> float:
        """Binary log of the perplexity per character: the cross-entropy."""
        return -self.log_prob / (self.n_characters + self.n_segments) / math.log(2.0)

    @property
    def per_word(self) -> float:
        """Perplexity per word."""
        try:
            return math.exp(-self.log_prob / (self.n_words + self.n_segments))
        except OverflowError:
            return math.inf


def score_segments(
    model: CharacterModel, table: CharacterTable, segments: Sequence[str], each: Map = map
) -> list[float]:
    """Compute the log-probability of each segment alone; the other segments change nothing.

    Args:
        model: The network.
        table: Its characters.
        segments: Normalised as the training text was; "" is a segment that ends at once.
        each: Applies the network to the batches.

    Returns:
        Natural logs, in the given order, of all characters of a segment and its end.

    Raises:
        DataError: A segment has a character that the model does not know.
    """
    batches = list(_batches([len(segment) for segment in segments]))
    texts = [[segments[position] for position in batch] for batch in batches]
    scores = [0.0] * len(segments)
    computed = each(lambda batch: _score_batch(model, table, batch), texts)
    for batch, own in zip(batches, computed, strict=True):
        for position, score in zip(batch, own, strict=True):
            scores[position] = score
    return scores


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Group positions by length, as many in a batch as `MAX_CHARACTERS` allows."""
    batch: list[int] = []
    for position in sorted(range(len(lengths)), key=lambda position: -lengths[position]):
        if batch and (len(batch) + 1) * (lengths[batch[0]] + 1) > MAX_CHARACTERS:
            yield batch
            batch = []
        batch.append(position)
    if batch:
        yield batch


def _score_batch(
    model: CharacterModel, table: CharacterTable, segments: Sequence[str]
) -> list[float]:
    spelled = [torch.from_numpy(table.encode([segment]).astype("int64")) for segment in segments]
    targets, lengths = pad(spelled)  # (B, U), each row with its end
    inputs = targets.roll(1, dims=1)
    inputs[:, 0] = END_ID
    with torch.inference_mode():
        log_probs, _ = model(inputs, model.start(len(segments)))
        scores = log_probs.gather(2, targets.unsqueeze(2))[:, :, 0]
        sums: list[float] = zero_padding(scores, lengths).double().sum(1).tolist()
    return sums
