import dataclasses
from pathlib import Path

import numpy as np
import pytest

from asr.corpus.utterance import Utterance
from asr.errors import DataError
from asr.low_resource.pseudo_labels import LONGEST, pseudo_labelled
from asr.text.transcript import Transcript, Word


def recording(duration: float, offset: float = 0.0) -> Utterance:
    return Utterance("long", Path("long.wav"), offset=offset, duration=duration)


def transcribed(duration: float, *starts: float) -> dict[str, Transcript]:
    """Words of half a second that begin at these seconds."""
    words = tuple(Word(f"W{number}", at, at + 0.5, 0.5) for number, at in enumerate(starts))
    text = " ".join(word.text for word in words)
    return {"long": Transcript("long", text, words=words, duration=duration)}


def test_a_transcript_becomes_the_text_whatever_the_manifest_says() -> None:
    recorded = dataclasses.replace(recording(4.0), text="SOMETHING ELSE", duration=None)

    assert pseudo_labelled([recorded], transcribed(4.0, 1.0, 2.0)) == [
        dataclasses.replace(recorded, text="W0 W1", duration=4.0)
    ]


def test_recordings_without_words_teach_nothing() -> None:
    silent = dataclasses.replace(recording(4.0), id="silent")
    unread = dataclasses.replace(recording(4.0), id="unread")
    transcripts = transcribed(4.0, 1.0) | {"silent": Transcript("silent", "", duration=4.0)}

    assert [u.id for u in pseudo_labelled([silent, recording(4.0), unread], transcripts)] == [
        "long"
    ]
    with pytest.raises(DataError, match="nothing was recognised in 2 recordings"):
        pseudo_labelled([silent, unread], transcripts)


def test_a_long_recording_is_cut_at_its_longest_pauses() -> None:
    cut = pseudo_labelled(
        [recording(100.0, offset=7.0)], transcribed(100.0, 10.0, 20.0, 35.0, 50.0, 90.0)
    )

    assert [(u.id, u.text) for u in cut] == [
        ("long#0", "W0 W1"),
        ("long#1", "W2 W3"),
        ("long#2", "W4"),
    ]
    assert [(u.offset, u.duration) for u in cut] == [(16.5, 11.5), (41.5, 16.5), (96.5, 1.5)]


def test_a_cut_loses_no_word_hears_none_twice_and_leaves_nothing_long() -> None:
    draw = np.random.default_rng(0).random(2000)
    starts = (0.5 + np.cumsum(0.5 + draw**4)).tolist()
    duration = starts[-1] + 3.0

    cut = pseudo_labelled([recording(duration)], transcribed(duration, *starts))

    assert " ".join(u.text or "" for u in cut) == transcribed(duration, *starts)["long"].text
    assert max(u.duration or 0.0 for u in cut) <= LONGEST + 1.0  # and its margins
    ends = [u.offset + (u.duration or 0.0) for u in cut]
    assert all(end <= after.offset + 1e-9 for end, after in zip(ends, cut[1:], strict=False))
