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
    line_of: dict[str, int] = {}
    for number, line in enumerate(_read_lines(path), start=1):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        utterance = _utterance(_fields(line, where), path.parent)
        if utterance.id in line_of:
            first = line_of[utterance.id]
            raise DataError(f"{where}: the id {utterance.id!r} is already that of line {first}")
        line_of[utterance.id] = number
        utterances.append(utterance)
    return utterances


def write_manifest(path: Path | str, utterances: Iterable[Utterance]) -> None:
    """Write a manifest, complete or not at all.

    Paths are written relative to the manifest, so that it can be moved together with the audio;
    unknown fields of an utterance are left out.
    """
    path = Path(path)
    write_text(path, "".join(f"{_line(utterance, path.parent)}\n" for utterance in utterances))


def _read_lines(path: Path) -> list[str]:
    try:
        # Not splitlines(): JSON strings may hold other line separators of Unicode.
        return path.read_text(encoding="utf-8-sig").split("\n")
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: is not UTF-8 at byte {error.start}") from error


def _fields(line: str, where: str) -> dict[str, Any]:
    """Return the known fields of a line, each of the right type; null means unknown."""
    try:
        record = json.loads(line)
    except json.JSONDecodeError as error:
        raise DataError(f"{where}: is not JSON: {error.msg} at column {error.colno}") from error
    if not isinstance(record, dict):
        raise DataError(f"{where}: must be a JSON object, got {type(record).__name__}")
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
    if isinstance(value, int | float) and not _is_possible(name, value):
        raise DataError(f"{where}: the field {name!r} cannot be {value!r}")


def _is_possible(name: str, value: float) -> bool:
    return 0 <= value < IMPOSSIBLE and (value > 0 or name != "duration")


def _utterance(fields: dict[str, Any], folder: Path) -> Utterance:
    fields["audio_filepath"] = folder / fields["audio_filepath"]
    return Utterance(**fields)


def _line(utterance: Utterance, folder: Path) -> str:
    fields: dict[str, object] = {
        "id": utterance.id,
        "audio_filepath": _relative(utterance.audio_filepath, folder),
        "offset": utterance.offset,
        "duration": utterance.duration,
        "text": utterance.text,
        "speaker": utterance.speaker,
        "channel": utterance.channel,
    }
    known = {name: value for name, value in fields.items() if value is not None}
    return json.dumps(known, ensure_ascii=False)


def _relative(path: Path, folder: Path) -> str:
    """Return `path` relative to `folder`, with slashes, and `..` where needed."""
    return Path(os.path.relpath(path, folder)).as_posix()
