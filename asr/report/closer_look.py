"""Closer look: some utterances with their alignment, spectrogram and sound."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from asr.audio.write import flac
from asr.corpus.loader import read_utterance
from asr.errors import AudioError
from asr.report.listing import audio_address
from asr.report.material import Material
from asr.report.spectrogram import Heard, ShownWord, spectrogram_rows
from asr.text.transcript import Word
from asr.wer.alignment import Edit, EditKind
from asr.wer.confusions import worst_utterances
from asr.wer.score import UtteranceScore

SAMPLE_RATE = 16_000  # Hz


@dataclass(frozen=True, slots=True)
class CloserLook:
    """An utterance to be shown in full.

    Attributes:
        utterance: The utterance.
        index: Its position in the listing.
        steps: Its alignment, see `Material.steps`.
        rows: Its spectrogram; empty without audio.
        audio: Address of its sound, or the sound itself; empty without audio.
        offset: Where the utterance begins in that sound, in seconds.
    """

    utterance: UtteranceScore
    index: int
    steps: Sequence[tuple[Edit, Word | None]]
    rows: tuple[str, ...] = ()
    audio: str = ""
    offset: float = 0.0

    @property
    def is_embedded(self) -> bool:
        """Whether the sound is in the page."""
        return self.audio.startswith("data:")


def choose(material: Material, n_worst: int, ids: Sequence[str]) -> list[str]:
    """Choose utterances of a score: those named that it has, or the worst if none is named."""
    if not ids:
        return [one.id for one in worst_utterances(material.score, n_worst)]
    known = {utterance.id for utterance in material.score.utterances}
    return [name for name in ids if name in known]


def closer_looks(
    material: Material,
    ids: Sequence[str],
    heard: Mapping[str, Heard],
    *,
    folder: Path,
    most_bytes: int,
) -> list[CloserLook]:
    """Take a closer look at some utterances.

    Args:
        material: Of the subset.
        ids: Of the utterances, in the order to show them.
        heard: By utterance id; of some only, or of none.
        folder: Where the page will be.
        most_bytes: Sound to embed, in bytes of the page; what has no room is referred to.
    """
    places = {utterance.id: i for i, utterance in enumerate(material.score.utterances)}
    looks = []
    for name in ids:
        look = _look(material, places[name], heard.get(name), folder, most_bytes)
        if look.is_embedded:
            most_bytes -= len(look.audio)
        looks.append(look)
    return looks


def _look(
    material: Material, index: int, heard: Heard | None, folder: Path, most_bytes: int
) -> CloserLook:
    utterance, steps = material.score.utterances[index], material.steps(index)
    recording = material.recordings.get(utterance.id)
    if recording is None:
        return CloserLook(utterance, index, steps)
    try:
        waveform = read_utterance(recording, SAMPLE_RATE)
    except AudioError:  # moved or removed since: the rest of the report is still worth having
        return CloserLook(utterance, index, steps)
    words = [
        ShownWord(edit.hypothesis, word, edit.kind is EditKind.HIT)
        for edit, word in steps
        if word is not None
    ]
    rows = tuple(spectrogram_rows(waveform, SAMPLE_RATE, words, heard))
    embedded = base64.b64encode(flac(waveform, SAMPLE_RATE)).decode("ascii")
    if len(embedded) <= most_bytes:
        return CloserLook(utterance, index, steps, rows, f"data:audio/flac;base64,{embedded}")
    address = audio_address(recording, folder)
    return CloserLook(utterance, index, steps, rows, address, recording.offset)
