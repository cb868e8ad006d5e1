"""Manifests: utterances as JSON lines, in the form that other toolkits read too.

Each line has the fields `id`, `audio_filepath` (relative to the manifest), `offset`, `duration` (in
seconds), `text`, `speaker` and `channel`. Only the first two are required. Other fields belong to
other programs and are ignored.
"""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from asr.corpus.utterance import Utterance
from asr.errors import DataError
from asr.files import write_text
from asr.text.lines import Record, read_json_lines

# Each with its type in words, because a manifest's author does not think in Python's.
_FIELDS: dict[str, tuple[str, type | tuple[type, ...]]] = {
    "id": ("a string", str),
    "audio_filepath": ("a string", str),
    "offset": ("a number of seconds", (int, float)),
    "duration": ("a number of seconds", (int, float)),
    "text": ("a string", str),
    "speaker": ("a string", str),
    "channel": ("a whole number", int),
}
_REQUIRED = ("id", "audio_filepath")
IMPOSSIBLE = 1e9  # seconds (thirty years), or a channel's number


def read_manifest(path: Path | str) -> list[Utterance]:
    """Read a manifest; empty lines are skipped.

    The recordings need not exist: a manifest may be read where they are not.

    Returns:
        The utterances in the file's order, `audio_filepath` relative to the working directory or
        absolute, as `path` is.

    Raises:
        DataError: There is no such file, or a line (named, as file:line) is not a JSON object,
            lacks a required field, has a field of the wrong type or with an impossible value, or
            repeats an id.
    """
    path = Path(path)
    utterances: list[Utterance] = []
    where_is: dict[str, str] = {}
    for where, record in read_json_lines(path):
        fields = _fields(record, where)
        name = fields["id"]
        if name in where_is:
            raise DataError(f"{where}: the id {name!r} is already at {where_is[name]}")
        where_is[name] = where
        fields["audio_filepath"] = path.parent / fields["audio_filepath"]
        utterances.append(Utterance(**fields))
    return utterances


def write_manifest(path: Path | str, utterances: Iterable[Utterance]) -> None:
    """Write a manifest, complete or not at all.

    Paths are written relative to the manifest, so that it can be moved together with the audio;
    unknown fields of an utterance are left out.
    """
    path = Path(path)
    write_text(path, "".join(f"{_line(utterance, path.parent)}\n" for utterance in utterances))


def _fields(record: Record, where: str) -> dict[str, Any]:
    """Return the known fields of a line, each of the right type; null means unknown."""
    fields = {name: record[name] for name in _FIELDS if record.get(name) is not None}
    for name in _REQUIRED:
        if fields.get(name, "") == "":
            raise DataError(f"{where}: lacks the field {name!r}")
    for name, value in fields.items():
        _check_field(name, value, where)
    return fields


def _check_field(name: str, value: object, where: str) -> None:
    expected, types = _FIELDS[name]
    if not isinstance(value, types) or isinstance(value, bool):
        raise DataError(f"{where}: the field {name!r} must be {expected}, got {value!r}")
    if isinstance(value, int | float):
        is_possible = 0 <= value < IMPOSSIBLE and (value > 0 or name != "duration")
        if not is_possible:
            raise DataError(f"{where}: the field {name!r} cannot be {value!r}")


def _line(utterance: Utterance, folder: Path) -> str:
    """Write an utterance as JSON, its path relative to `folder`, with slashes."""
    path = Path(os.path.relpath(utterance.audio_filepath, folder)).as_posix()
    fields = {name: getattr(utterance, name) for name in _FIELDS} | {"audio_filepath": path}
    known = {name: value for name, value in fields.items() if value is not None}
    return json.dumps(known, ensure_ascii=False)
