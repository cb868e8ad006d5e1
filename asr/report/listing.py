"""Listing: all utterances of a subset, packed for the page's table.

A column is a list with an entry an utterance; a browser reads a hundred thousand such columns
faster than as many objects.
"""

import base64
import gzip
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from asr.corpus.utterance import Utterance
from asr.report.material import Material
from asr.text.markdown import visible
from asr.text.transcript import Word
from asr.wer.alignment import Edit, EditKind


def pack(columns: dict[str, list[Any]]) -> str:
    """Write columns as JSON, compressed by gzip, in base64."""
    content = json.dumps(columns, ensure_ascii=False, separators=(",", ":"))
    data = content.encode("utf-8", "backslashreplace")
    return base64.b64encode(gzip.compress(data, mtime=0)).decode("ascii")


def audio_address(recording: Utterance, folder: Path) -> str:
    """Name a recording by its path from a folder, as a relative URL."""
    path = os.path.relpath(recording.audio_filepath, folder).replace(os.sep, "/")
    return quote(os.fsencode(path))


def listed(material: Material) -> dict[str, list[Any]]:
    """Make the columns that the table shows, sorts and searches."""
    utterances = material.score.utterances
    columns: dict[str, list[Any]] = {
        "ids": [visible(one.id) for one in utterances],
        "speakers": [visible(one.speaker or "") for one in utterances],
        "references": [_side(edits, "reference") for edits in material.aligned],
        "hypotheses": [_side(edits, "hypothesis") for edits in material.aligned],
        "marks": ["".join(map(_mark, edits)) for edits in material.aligned],
        "errors": [one.words.errors for one in utterances],
        "words": [one.words.n_reference for one in utterances],
        "missing": [i for i, one in enumerate(utterances) if one.hypothesis is None],
    }
    if material.durations:
        columns["durations"] = [material.durations.get(one.id) for one in utterances]
    return columns


def opened(material: Material, folder: Path) -> dict[str, list[Any]]:
    """Make the columns that are read when an utterance is opened.

    Args:
        material: Of the subset.
        folder: Where the page will be, to which the paths of recordings are relative.
    """
    utterances = material.score.utterances
    columns: dict[str, list[Any]] = {}
    if material.words:
        words = [material.words.get(one.id, ()) for one in utterances]
        columns["starts"] = [_joined([100 * word.start for word in one]) for one in words]
        columns["confidences"] = [_confidences(one) for one in words]
    if material.recordings:
        recordings = [material.recordings.get(one.id) for one in utterances]
        columns["audio"] = [audio_address(r, folder) if r else "" for r in recordings]
        columns["offsets"] = [r.offset if r else 0 for r in recordings]
    return columns


def _mark(edit: Edit) -> str:
    """Write a step as its kind's letter; an omission of the hypothesis in lower case."""
    return "o" if edit.kind is EditKind.OMISSION and edit.hypothesis else edit.kind


def _side(edits: Sequence[Edit], side: str) -> str:
    return visible(" ".join(filter(None, (getattr(edit, side) for edit in edits))))


def _joined(numbers: Sequence[float]) -> str:
    """Write numbers as whole ones in a string, which takes a fifth of a list's memory."""
    return " ".join(str(round(number)) for number in numbers)


def _confidences(words: Sequence[Word]) -> str:
    """Write confidences in per cent; empty if one is unknown."""
    known = [100 * word.confidence for word in words if word.confidence is not None]
    return _joined(known) if len(known) == len(words) else ""
