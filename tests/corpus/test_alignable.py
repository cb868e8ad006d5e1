"""Utterances with too few frames for their tokens are found before training."""

from pathlib import Path

import pytest
import torch

from asr.corpus.alignable import too_short_for_ctc
from asr.corpus.utterance import Problem, Utterance
from asr.errors import DataError
from asr.lengths import n_frames_needed


@pytest.mark.parametrize("tokens", [[1], [1, 2, 3], [2, 2], [3, 3, 3, 1, 1]])
def test_one_frame_less_makes_torchs_loss_infinite(tokens: list[int]) -> None:
    n_needed = n_frames_needed(tokens)
    losses = [
        torch.nn.functional.ctc_loss(
            torch.zeros(n_frames, 1, 4).log_softmax(2),
            torch.tensor([tokens]),
            torch.tensor([n_frames]),
            torch.tensor([len(tokens)]),
        ).isfinite()
        for n_frames in (n_needed - 1, n_needed)
        if n_frames
    ]

    assert losses[-1]
    assert not any(losses[:-1])


def utterance(name: str, duration: float | None, text: str | None) -> Utterance:
    return Utterance(name, Path("a.flac"), duration=duration, text=text)


def find(*utterances: Utterance) -> list[Problem]:
    return too_short_for_ctc(
        utterances,
        n_frames_of=lambda seconds: int(seconds * 25),
        tokens_of=lambda text: [ord(letter) for letter in text],
    )


def test_only_what_is_too_short_is_listed_with_its_figures() -> None:
    assert find(
        utterance("enough", 0.24, "ABCDEF"),
        utterance("short", 0.2, "ABCDEF"),
        utterance("repeats", 0.24, "ABBCDD"),
    ) == [
        Problem("short", "0.2 s are 5 frames; its tokens need 6"),
        Problem("repeats", "0.24 s are 6 frames; its tokens need 8"),
    ]


def test_an_utterance_without_a_reference_is_passed_over() -> None:
    assert find(utterance("a", 0.01, None)) == []


def test_an_utterance_without_a_duration_is_refused() -> None:
    with pytest.raises(DataError, match=r"^a: has no duration"):
        find(utterance("a", None, "WORDS"))
