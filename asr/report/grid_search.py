"""Grid search: the WER of stored emissions at every combination of a search's weights."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from asr.report.grid import Point
from asr.runtime.emissions import Emission
from asr.wer.score import Reference, score

Decode = Callable[[Emission], str]


def grid_search(
    emissions: Mapping[str, Emission],
    references: Sequence[Reference],
    decoder: Callable[[Point], Decode],
    points: Sequence[Point],
    *,
    normaliser: str,
    n_threads: int,
) -> Iterator[tuple[Point, float]]:
    """Decode and score all emissions at every point.

    Args:
        emissions: By utterance id.
        references: The utterances to score.
        decoder: Turns a point into a function from an emission to its text, which several threads
            may call at the same time.
        points: The weights to try.
        normaliser: Name of the normaliser of both sides.
        n_threads: Utterances to decode at the same time; the results do not depend on it.

    Yields:
        A point and its WER, a fraction.
    """
    chosen = [emissions[reference.id] for reference in references]
    with ThreadPoolExecutor(n_threads) as threads:
        for point in points:
            texts = threads.map(decoder(point), chosen)
            by_id = {r.id: text for r, text in zip(references, texts, strict=True)}
            yield point, score(references, by_id, normaliser).total.wer
