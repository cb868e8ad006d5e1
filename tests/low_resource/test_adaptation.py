"""What was recognised becomes what a model learns from."""

import dataclasses
from itertools import pairwise
from pathlib import Path

import pytest
import torch

from asr.corpus.utterance import Utterance
from asr.errors import DataError
from asr.low_resource.adaptation import LONGEST, folds, stretches
from asr.text.transcript import Transcript, Word


def recording(duration: float, offset: float = 0.0) -> Utterance:
    return Utterance("long", Path("long.wav"), offset=offset, duration=duration)


def heard(duration: float, *starts: float) -> dict[str, Transcript]:
    """Words of half a second that begin at these seconds."""
    words = tuple(Word(f"W{number}", at, at + 0.5, 0.5) for number, at in enumerate(starts))
    text = " ".join(word.text for word in words)
    return {"long": Transcript("long", text, words=words, duration=duration)}


def test_what_was_recognised_is_what_was_said_whatever_a_manifest_says() -> None:
    told = dataclasses.replace(recording(4.0), text="SOMETHING ELSE", duration=None)

    assert stretches([told], heard(4.0, 1.0, 2.0)) == [
        dataclasses.replace(told, text="W0 W1", duration=4.0)
    ]


def test_recordings_without_words_teach_nothing() -> None:
    silent = dataclasses.replace(recording(4.0), id="silent")
    unread = dataclasses.replace(recording(4.0), id="unread")
    transcripts = heard(4.0, 1.0) | {"silent": Transcript("silent", "", duration=4.0)}

    assert [u.id for u in stretches([silent, recording(4.0), unread], transcripts)] == ["long"]
    with pytest.raises(DataError, match="nothing was recognised in 2 recordings"):
        stretches([silent, unread], transcripts)


def test_a_long_recording_is_cut_at_its_longest_pauses() -> None:
    cut = stretches([recording(100.0, offset=7.0)], heard(100.0, 10.0, 20.0, 35.0, 50.0, 90.0))

    assert [(u.id, u.text) for u in cut] == [
        ("long#0", "W0 W1"),
        ("long#1", "W2 W3"),
        ("long#2", "W4"),
    ]
    assert [(u.offset, u.duration) for u in cut] == [(16.5, 11.5), (41.5, 16.5), (96.5, 1.5)]


def test_a_cut_loses_no_word_and_leaves_nothing_long() -> None:
    draw = torch.rand(2000, generator=torch.Generator().manual_seed(0))
    starts = (0.5 + torch.cumsum(0.5 + draw**4, 0)).tolist()
    duration = starts[-1] + 3.0

    cut = stretches([recording(duration)], heard(duration, *starts))

    assert " ".join(u.text or "" for u in cut) == heard(duration, *starts)["long"].text
    assert max(u.duration or 0.0 for u in cut) <= LONGEST + 1.0  # and its margins
    assert all(before.offset < after.offset for before, after in pairwise(cut))


def test_every_fold_has_some_of_each_speaker() -> None:
    utterances = [dataclasses.replace(recording(1.0), id=f"{s}-{n}") for s in "ab" for n in "123"]

    assert [[u.id for u in fold] for fold in folds(utterances, 2)] == [
        ["a-1", "a-3", "b-2"],
        ["a-2", "b-1", "b-3"],
    ]
