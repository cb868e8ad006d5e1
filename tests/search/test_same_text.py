"""Prefixes that spell the same text are one: the search equals enumeration, summed by text."""

import math
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from asr.search.beam import BeamConfig
from asr.search.beam_search import BeamSearch
from asr.search.fusion import fuse
from asr.search.hypothesis import Hypothesis
from asr.text.tokens import TokenTable
from tests.search.conftest import every_path

LogProbs = NDArray[np.float64]

TABLES = (TokenTable(("<blank>", "\u2581", "A")), TokenTable(("<blank>", "A", "\u2581", "B")))
EVERYTHING = BeamConfig(beam_size=4000, beam_threshold=math.inf, n_best=4000)


def searched(
    table: TokenTable, emission: LogProbs, config: BeamConfig, lexicon: Path | None = None
) -> list[Hypothesis]:
    language = fuse(table.tokens, "librispeech-1", lexicon=lexicon).language
    (n_best,) = BeamSearch(config, language)(emission[None], np.array([len(emission)]))
    return n_best


def random_emission(seed: int, n_tokens: int) -> LogProbs:
    """Make up to six frames, of which boundary and blank are likely, as in a bad recording."""
    generator = np.random.default_rng(seed)
    n_frames = int(generator.integers(1, 7))
    logits = generator.standard_normal((n_frames, n_tokens)) * generator.choice([0.5, 2.0])
    log_probs: LogProbs = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    return log_probs


def enumerated(table: TokenTable, emission: LogProbs) -> dict[str, float]:
    """Sum the probability of all paths by the text that they spell."""
    texts: dict[str, float] = {}
    for tokens, paths in every_path(emission).items():
        text = table.decode(tokens)
        texts[text] = texts.get(text, 0.0) + math.fsum(map(math.exp, paths.values()))
    return texts


@pytest.mark.parametrize("seed", range(120))
def test_every_text_has_the_probability_of_all_paths_that_spell_it(seed: int) -> None:
    table = TABLES[seed % 2]
    emission = random_emission(seed, len(table))
    expected = enumerated(table, emission)

    n_best = searched(table, emission, EVERYTHING)

    texts = [table.decode(hypothesis.tokens) for hypothesis in n_best]
    assert len(set(texts)) == len(texts)
    found = {t: math.exp(h.score) for t, h in zip(texts, n_best, strict=True)}
    assert found == pytest.approx(expected, abs=1e-12)
    assert [h.acoustic_score for h in n_best] == pytest.approx([h.score for h in n_best])
    assert texts[0] == max(expected, key=expected.__getitem__)


@pytest.mark.parametrize("seed", range(20))
def test_a_score_per_word_counts_the_words_of_a_text_once(seed: int, tmp_path: Path) -> None:
    table = TABLES[1]
    emission = random_emission(seed, len(table))
    (tmp_path / "words").write_text("A\nB\nAB\n")
    config = BeamConfig(beam_size=4000, beam_threshold=math.inf, n_best=4000, word_score=-1.5)
    expected = {
        text: probability * math.exp(-1.5 * len(text.split()))
        for text, probability in enumerated(table, emission).items()
        if set(text.split()) <= {"A", "B", "AB"}
    }

    n_best = searched(table, emission, config, tmp_path / "words")

    found = {table.decode(h.tokens): math.exp(h.score) for h in n_best}
    assert len(found) == len(n_best)
    assert found == pytest.approx(expected, abs=1e-12)
    for h in n_best:
        n_words = len(table.decode(h.tokens).split())
        assert h.acoustic_score == pytest.approx(h.score + 1.5 * n_words)
