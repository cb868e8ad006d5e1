"""An utterance is a value."""

import dataclasses
from pathlib import Path

import pytest

from asr.corpus.utterance import Utterance


def test_an_utterance_needs_an_id_and_a_recording_only() -> None:
    utterance = Utterance("a", Path("a.flac"))

    assert dataclasses.astuple(utterance) == ("a", Path("a.flac"), 0.0, None, None, None, None)


def test_an_utterance_cannot_be_changed() -> None:
    utterance = Utterance("a", Path("a.flac"))

    with pytest.raises(dataclasses.FrozenInstanceError):
        utterance.text = "OTHER WORDS"  # type: ignore[misc]
