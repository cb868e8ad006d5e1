"""What the tests of language models share: a way to make them, and a slow, obvious reference."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from asr.lm.counts import context_probs, count_ngrams, kept_ngrams
from asr.lm.kneser_ney import estimate
from asr.lm.ngram import NGram, make_nodes
from asr.lm.pruning import prune
from asr.lm.text import index_text
from asr.lm.vocabulary import Vocabulary

Entries = dict[tuple[int, ...], tuple[float, float]]


@pytest.fixture(scope="session")
def golden() -> Path:
    """A text of public-domain books, and what KenLM makes of it; see test_kneser_ney.py."""
    return Path(__file__).parent / "golden"


@pytest.fixture
def childless() -> NGram:
    """A model of order 2 without pairs, whose words have back-off weights all the same."""
    nodes = make_nodes(
        words=np.arange(-1, 5, dtype=np.int32),
        log_probs=-np.arange(6, dtype=np.float32),
        backoffs=np.array([0, 0, 0, 0, -2, 0.5], np.float32),
        first_child=np.array([1, 6, 6, 6, 6, 6, 6], np.uint32),
        suffixes=np.zeros(6, np.int32),
    )
    return NGram(Vocabulary.of("AB"), nodes)


def build(
    segments: Sequence[str],
    order: int,
    *,
    vocabulary: Vocabulary | None = None,
    n_words: int | None = None,
    min_counts: Sequence[int] = (1,),
    threshold: float = 0.0,
) -> NGram:
    """Go all the way from segments to a model."""
    text = index_text(segments, vocabulary, n_words=n_words, min_count=min_counts[0])
    levels = list(count_ngrams(text.tokens, text.n_types, order))
    kept = kept_ngrams(levels, len(text.vocabulary), min_counts)
    probs = context_probs(levels, kept)
    model = estimate(levels, kept, text.vocabulary)
    return prune(model, threshold, probs) if threshold else model


def entries_of(model: NGram) -> Entries:
    """List the log probability and back-off weight of each n-gram, as an ARPA file does."""
    parents, entries = model.parents(), {}
    ngrams: list[tuple[int, ...]] = [()]
    for node in range(1, len(model.nodes.words)):
        ngrams.append((*ngrams[parents[node]], int(model.nodes.words[node])))
        backoff = model.nodes.backoffs[node] if node < len(model.nodes.backoffs) else 0.0
        entries[ngrams[node]] = (float(model.nodes.log_probs[node]), float(backoff))
    return entries


def log_prob_of(entries: Entries, context: Sequence[int], word: int) -> float:
    """Back off by the definition: the whole context first, then one word less, and so on."""
    context = tuple(context)
    if (*context, word) in entries:
        return entries[(*context, word)][0]
    weight = entries[context][1] if context in entries else 0.0
    return weight + log_prob_of(entries, context[1:], word)
