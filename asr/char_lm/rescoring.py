"""Rescoring: n-best lists reordered by adding a language model's scores."""

import math
from collections.abc import Sequence

from asr.char_lm.language_model import LanguageModel
from asr.errors import ConfigError, DataError
from asr.text.transcript import Transcript, rank


def rescore(
    transcripts: Sequence[Transcript],
    language_model: LanguageModel,
    *,
    lm_weight: float,
    word_score: float,
) -> list[Transcript]:
    """Add a language model's scores to those of n-best lists, and sort the lists anew.

    Args:
        transcripts: With n-best lists. Each entry is scored alone, so an utterance's result does
            not depend on the others.
        language_model: The model.
        lm_weight: Factor of the text's log-probability.
        word_score: Added for each word, in nats, to offset the probability that each word costs.

    Returns:
        The transcripts with new scores, in the given order.

    Raises:
        ConfigError: The weight or the word score is no number, or infinite.
        DataError: No transcript has an alternative, or a text has a character that the model does
            not know.
    """
    for name, value in (("lm_weight", lm_weight), ("word_score", word_score)):
        if not math.isfinite(value):
            raise ConfigError(f"{name} must be a number, got {value}")
    if not any(len(transcript.n_best) > 1 for transcript in transcripts):
        raise DataError(
            "no utterance has an alternative: expected n-best lists, as "
            "`asr decode --search beam --n-best 16` writes them"
        )
    texts = [entry.text for transcript in transcripts for entry in transcript.n_best]
    log_probs = iter(language_model.log_probs(texts))
    rescored = []
    for transcript in transcripts:
        scores = [
            entry.score + lm_weight * next(log_probs) + word_score * len(entry.text.split())
            for entry in transcript.n_best
        ]
        rescored.append(rank(transcript, scores) if scores else transcript)
    return rescored
