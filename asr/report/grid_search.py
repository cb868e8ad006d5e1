"""Grid search: the WER of stored emissions at every pair of two weights."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import product

import numpy as np
from numpy.typing import NDArray

from asr.wer.score import Reference, score

Emission = NDArray[np.float32]  # (T, V), natural log, each frame normalised
Decode = Callable[[Emission], str]


def grid_search(
    emissions: Mapping[str, Emission],
    references: Sequence[Reference],
    decoder: Callable[[float, float], Decode],
    weights: tuple[Sequence[float], Sequence[float]],
    *,
    normaliser: str,
    n_threads: int,
) -> Iterator[tuple[tuple[float, float], float]]:
    """Decode and score all emissions with every pair of weights.

    Args:
        emissions: By utterance id.
        references: The utterances to score.
        decoder: Turns an lm_weight and a word_score into a function from an emission to its text,
            which several threads may call at the same time.
        weights: The lm_weights and the word_scores to try.
        normaliser: Name of the normaliser of both sides.
        n_threads: Utterances to decode at the same time; the results do not depend on it.

    Yields:
        A pair of weights and its WER, a fraction.
    """
    chosen = [emissions[reference.id] for reference in references]
    with ThreadPoolExecutor(n_threads) as threads:
        for lm_weight, word_score in product(*weights):
            texts = threads.map(decoder(lm_weight, word_score), chosen)
            by_id = {r.id: text for r, text in zip(references, texts, strict=True)}
            yield (lm_weight, word_score), score(references, by_id, normaliser).total.wer
