"""Manifests: utterances as JSON lines, in the form that other toolkits read too.

Each line has the fields `id`, `audio_filepath` (relative to the manifest), `offset`, `duration` (in
seconds), `text`, `speaker` and `channel`. Only the first two are required. Other fields belong to
other programs and are ignored.
"""

import json
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import NamedTuple

from asr.audio.source import is_url
from asr.corpus.utterance import Utterance
from asr.errors import DataError, shortened
from asr.files import write_text
from asr.text.lines import Record, read_json_lines


class Field(NamedTuple):
    """The type of a field, in words too, because a manifest's author does not think in Python's."""

    told: str
    types: type | tuple[type, ...]


FIELDS = {
    "id": Field("a string", str),
    "audio_filepath": Field("a string", str),
    "offset": Field("a number of seconds", (int, float)),
    "duration": Field("a number of seconds", (int, float)),
    "text": Field("a string", str),
    "speaker": Field("a string", str),
    "channel": Field("a whole number", int),
}
IMPOSSIBLE = 1e9  # seconds (thirty years), or a channel's number


def read_manifest(path: Path | str) -> list[Utterance]:
    """Read a manifest; empty lines are skipped.

    The recordings need not exist: a manifest may be read where they are not.

    Returns:
        The utterances in the file's order, `audio_filepath` relative to the working directory or
        absolute, as `path` is, or a URL.

    Raises:
        DataError: There is no such file, or a line (named, as file:line) is not a JSON object,
            lacks a required field, has a field of the wrong type or with an impossible value, or
            repeats an id.
    """
    path = Path(path)
    utterances: list[Utterance] = []
    where_is: dict[str, str] = {}
    for where, record in read_json_lines(path):
        utterance = utterance_from(record, where)
        name = utterance.id
        if name in where_is:
            raise DataError(f"{where}: the id {name!r} is already at {where_is[name]}")
        where_is[name] = where
        if not isinstance(utterance.audio_filepath, str):
            audio = path.parent / utterance.audio_filepath
            utterance = replace(utterance, audio_filepath=audio)
        utterances.append(utterance)
    return utterances


def read_manifest_with_texts(path: Path | str) -> list[Utterance]:
    """Read a manifest all of whose utterances have a text.

    Raises:
        DataError: As `read_manifest`, or one has none.
    """
    utterances = read_manifest(path)
    if untold := [utterance.id for utterance in utterances if utterance.text is None]:
        raise DataError(f"{path}: expected texts, and there is none of {shortened(untold)}")
    return utterances


def utterance_from(
    record: Record, where: str, required: Sequence[str] = ("id", "audio_filepath")
) -> Utterance:
    """Make an utterance of the known fields of a line; null means unknown.

    Raises:
        DataError: A required field is missing or empty, or one has the wrong type or an impossible
            value; the message begins with `where`.
    """
    fields = {name: record[name] for name in FIELDS if record.get(name) is not None}
    for name in required:
        if fields.get(name, "") == "":
            raise DataError(f"{where}: lacks the field {name!r}")
    for name, value in fields.items():
        _check_field(name, value, where)
    audio = fields["audio_filepath"]
    return Utterance(
        **{"id": "", **fields, "audio_filepath": audio if is_url(audio) else Path(audio)}
    )


def write_manifest(path: Path | str, utterances: Iterable[Utterance]) -> None:
    """Write a manifest, complete or not at all.

    Paths are written relative to the manifest, so that it can be moved together with the audio;
    unknown fields of an utterance are left out.
    """
    path = Path(path)
    resolve = cache(Path.resolve)  # of the few folders, once each
    lines = (f"{_line(utterance, path.parent, resolve)}\n" for utterance in utterances)
    write_text(path, "".join(lines))


def _check_field(name: str, value: object, where: str) -> None:
    field = FIELDS[name]
    if not isinstance(value, field.types) or isinstance(value, bool):
        raise DataError(f"{where}: the field {name!r} must be {field.told}, got {value!r}")
    if isinstance(value, int | float):
        is_possible = 0 <= value < IMPOSSIBLE and (value > 0 or name != "duration")
        if not is_possible:
            raise DataError(f"{where}: the field {name!r} cannot be {value!r}")


def _relative(path: Path, folder: Path, resolve: Callable[[Path], Path]) -> Path:
    """Tell the way from a folder to a path, which a link may be a part of: `..` follows links."""
    relative = Path(os.path.relpath(path, folder))
    if ".." not in (*relative.parts, *path.parts):
        return relative
    return Path(os.path.relpath(resolve(path.parent) / path.name, resolve(folder)))


def _line(utterance: Utterance, folder: Path, resolve: Callable[[Path], Path]) -> str:
    """Write an utterance as JSON, its path relative to `folder`, with slashes."""
    path = utterance.audio_filepath
    if isinstance(path, Path):
        path = _relative(path, folder, resolve).as_posix()
    fields = {name: getattr(utterance, name) for name in FIELDS} | {"audio_filepath": path}
    known = {name: value for name, value in fields.items() if value is not None}
    return json.dumps(known, ensure_ascii=False)
