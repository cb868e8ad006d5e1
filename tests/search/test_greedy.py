import json
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from asr.search.greedy import greedy_search
from asr.search.hypothesis import Hypothesis

LABELS = " abcdefghijklmnopqrstuvwxyz'"  # of the published emission; its blank comes last
BEST_PATH = (
    "i have a good deal of will you remember and what i have set my mind upon no doubt "
    "i shall some day achieve"
)


def one(log_probs: Tensor, blank: int = 0) -> Hypothesis:
    (hypothesis,) = greedy_search(log_probs[None], torch.tensor([len(log_probs)]), blank=blank)
    return hypothesis


def test_repeats_merge_before_blanks_drop() -> None:
    path = [1, 1, 0, 1, 2, 2, 0]
    log_probs = torch.full((7, 3), 0.1)
    log_probs[range(7), path] = 0.8
    hypothesis = one(log_probs.log())
    assert hypothesis.tokens == (1, 1, 2)
    assert hypothesis.frames == (0, 3, 4)
    assert hypothesis.confidences == pytest.approx((0.8, 0.8, 0.8))
    assert hypothesis.score == pytest.approx(7 * torch.tensor(0.8).log().item())


def test_an_empty_utterance_says_nothing_and_scores_zero() -> None:
    assert one(torch.zeros(0, 3)) == Hypothesis((), (), (), 0.0, 0.0)


def test_frames_of_blank_alone_say_nothing() -> None:
    assert one(torch.tensor([[0.9, 0.1]] * 4).log()).tokens == ()


def test_a_vocabulary_of_the_blank_alone_says_nothing() -> None:
    assert one(torch.zeros(3, 1)) == Hypothesis((), (), (), 0.0, 0.0)


def test_one_frame_says_at_most_one_token() -> None:
    assert one(torch.tensor([[0.2, 0.7, 0.1]]).log()).tokens == (1,)


def test_of_equally_probable_tokens_the_lowest_id_is_taken() -> None:
    assert one(torch.tensor([[0.2, 0.4, 0.4]]).log()).tokens == (1,)


def test_a_blank_may_be_any_token() -> None:
    assert one(torch.tensor([[0.2, 0.8], [0.9, 0.1]]).log(), blank=1).tokens == (0,)


@given(st.integers(0, 12), st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_tokens_frames_and_confidences_agree(n_frames: int, n_tokens: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    log_probs = torch.randn(n_frames, n_tokens, generator=generator).mul(3).log_softmax(dim=1)
    hypothesis = one(log_probs)
    assert len(hypothesis.tokens) == len(hypothesis.frames) == len(hypothesis.confidences)
    assert list(hypothesis.frames) == sorted(set(hypothesis.frames))
    for token, frame in zip(hypothesis.tokens, hypothesis.frames, strict=True):
        assert int(log_probs[frame].argmax()) == token
    assert hypothesis.score == pytest.approx(log_probs.amax(dim=1).sum().item(), abs=1e-4)


@pytest.mark.corpus
def test_the_best_path_of_a_published_emission_is_the_published_one(shared_data: Path) -> None:
    path = shared_data / "emissions" / "librispeech_char_emission.json"
    rounded = torch.tensor(json.loads(path.read_text()), dtype=torch.float32)
    hypothesis = one(rounded.log_softmax(dim=1), blank=len(LABELS))
    assert "".join(LABELS[token] for token in hypothesis.tokens).strip() == BEST_PATH
