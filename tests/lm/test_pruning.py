import numpy as np
import pytest

from asr.lm.counts import context_probs, count_ngrams, kept_ngrams
from asr.lm.ngram import NGram
from asr.lm.perplexity import perplexity
from asr.lm.pruning import prune
from asr.lm.text import index_text
from tests.lm.conftest import Entries, build, entries_of, log_prob_of

SEGMENTS = ["A B A C", "A B", "B A B C A", "C", "A A B", "A B C"] * 2


@pytest.fixture(scope="module")
def model() -> NGram:
    return build(SEGMENTS, 3)


@pytest.fixture(scope="module")
def probs() -> np.ndarray:
    text = index_text(SEGMENTS)
    levels = list(count_ngrams(text.tokens, text.n_types, 3))
    return context_probs(levels, kept_ngrams(levels, len(text.vocabulary)))


def test_a_threshold_below_every_loss_leaves_all_as_it_is(model: NGram, probs: np.ndarray) -> None:
    pruned = prune(model, 1e-300, probs)
    kept = {name: getattr(pruned.nodes, name) for name in ("words", "log_probs", "suffixes")}
    for name, array in kept.items():
        np.testing.assert_array_equal(array, getattr(model.nodes, name))
    np.testing.assert_allclose(pruned.nodes.backoffs, model.nodes.backoffs, atol=1e-6)


def test_a_threshold_above_every_loss_leaves_single_words(model: NGram, probs: np.ndarray) -> None:
    pruned = prune(model, 1e9, probs)
    assert pruned.order == 1
    np.testing.assert_array_equal(
        pruned.nodes.log_probs, model.nodes.log_probs[: len(pruned.nodes.words)]
    )


def test_a_higher_threshold_leaves_fewer_ngrams_that_fit_their_text_worse(
    model: NGram, probs: np.ndarray
) -> None:
    models = [prune(model, threshold, probs) for threshold in (1e-3, 3e-3, 1e-2, 3e-2)]
    sizes = [len(pruned.nodes.words) for pruned in models]
    fits = [perplexity(pruned, SEGMENTS).with_outside for pruned in models]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] < sizes[0] < len(model.nodes.words) + 1
    assert fits == sorted(fits)


def test_an_ngram_goes_if_leaving_it_out_costs_less_than_the_threshold(
    model: NGram, probs: np.ndarray
) -> None:
    """Each loss, as the definition has it: the relative entropy over the whole vocabulary."""
    entries = entries_of(model)
    context_prob = dict(zip([(), *entries], probs, strict=False))
    losses = {n: loss(entries, n, context_prob[n[:-1]]) for n in entries if len(n) == 3}
    threshold = float(np.median(list(losses.values()))) * (1 - 1e-6)  # beyond rounding
    left = {ngram for ngram in entries_of(prune(model, threshold, probs)) if len(ngram) == 3}
    assert left == {ngram for ngram, rise in losses.items() if rise >= threshold}


def loss(entries: Entries, ngram: tuple[int, ...], context_prob: float) -> float:
    context, words = ngram[:-1], [w for w in range(6) if w != 1]
    before = {w: np.exp(log_prob_of(entries, context, w)) for w in words}
    listed = [w for w in words if (*context, w) in entries and w != ngram[-1]]
    lower = {w: np.exp(log_prob_of(entries, context[1:], w)) for w in words}
    weight = (1 - sum(before[w] for w in listed)) / (1 - sum(lower[w] for w in listed))
    after = {w: before[w] if w in listed else weight * lower[w] for w in words}
    entropy = sum(before[w] * np.log(before[w] / after[w]) for w in words)
    return float(np.expm1(context_prob * entropy))
