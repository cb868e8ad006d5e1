"""Lists of recordings in the forms of other programs: JSON lines, or a table with a header.

NeMo's manifests, the tables of Common Voice, Hugging Face's metadata and one's own lists differ in
the names of their columns, and in what they leave out.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from asr.corpus.manifest import FIELDS, utterance_from
from asr.corpus.utterance import CorpusReport, Problem, Utterance
from asr.errors import DataError
from asr.text.lines import Record, read_json_lines, read_text

TABLES = (".csv", ".tsv")
JSON_LINES = (".jsonl", ".json", ".ndjson")
_DELIMITERS = "\t,;|"
_MORE = "\t"  # what a row has beyond the columns; a name that no column has

# What other programs call the fields of a manifest, in lower case.
_NAMES = {
    "id": ("id", "utt_id", "utterance_id"),
    "audio_filepath": (
        *("audio_filepath", "audio", "audio_path", "path", "file", "file_name", "filename"),
        *("wav", "wav_filename"),
    ),
    "offset": ("offset",),
    "duration": ("duration",),
    "text": ("text", "sentence", "transcript", "transcription"),
    "speaker": ("speaker", "speaker_id", "client_id"),
    "channel": ("channel",),
}


def read_foreign_list(path: Path) -> CorpusReport:
    """Read a list of recordings without opening any.

    Paths are relative to the list, or to the folder `clips` beside it, as Common Voice has it.

    Returns:
        Utterances in the list's order, with an empty id where it gives none; and a problem for each
        line of which a field is missing or impossible.

    Raises:
        DataError: The file cannot be read, a line is not JSON, or no column has the audio.
    """
    records = _read_table(path) if path.suffix.lower() in TABLES else read_json_lines(path)
    utterances, problems = list[Utterance](), list[Problem]()
    for where, record in records:
        fields = _renamed(record)
        try:
            _refuse_more(record, where)
            utterance = utterance_from(fields, where, required=("audio_filepath",))
        except DataError as error:
            problems.append(Problem(str(fields.get("id", where)), str(error)))
            continue
        if not isinstance(utterance.audio_filepath, str):
            audio = _found(path.parent, utterance.audio_filepath)
            utterance = replace(utterance, audio_filepath=audio)
        utterances.append(utterance)
    return CorpusReport(tuple(utterances), tuple(problems))


def _read_table(path: Path) -> Iterator[tuple[str, Record]]:
    """Read the rows of a table with their places; what delimits its columns, the header shows."""
    text = read_text(path)
    header = text.partition("\n")[0].strip()
    delimiter = max(_DELIMITERS, key=header.count)
    rows = csv.DictReader(
        io.StringIO(text, newline=""),
        delimiter=delimiter,
        quoting=csv.QUOTE_NONE if delimiter == "\t" else csv.QUOTE_MINIMAL,
        strict=True,  # else a quotation mark left open takes the rows after it for its text
    )
    n_read = 0  # lines
    try:
        _check_columns(path, header, rows.fieldnames or ())
        n_read = rows.line_num
        for row in rows:
            n_read = rows.line_num
            record = {name: value for name, value in row.items() if name}
            more = [value for value in row.get(None, ()) if value.strip()]
            yield f"{path}:{n_read}", record | ({_MORE: more[0].strip()} if more else {})
    except csv.Error as error:
        reason = f"is no row of a table: {error}; is a quotation mark left open, or not doubled?"
        raise DataError(f"{path}:{n_read + 1}: {reason}") from error


def _check_columns(path: Path, header: str, names: Sequence[str]) -> None:
    columns = [name.strip().lower() for name in names]
    known = _NAMES["audio_filepath"]
    if not set(columns) & set(known):
        raise DataError(
            f"{path}: expected a first line that names the columns, one of them "
            f"{', '.join(known[:-1])} or {known[-1]}; got {header[:80]!r}"
        )


def _refuse_more(record: Record, where: str) -> None:
    """Refuse a row with more fields than there are columns: its text would lose its end."""
    if more := record.get(_MORE):
        raise DataError(
            f"{where}: has more fields than the first line has names, from {more!r} on; put a text "
            "that contains the delimiter in quotation marks"
        )


def _renamed(record: Record) -> Record:
    """Call the fields what a manifest calls them; in a table, numbers are written as text."""
    given = {name.strip().lower(): value for name, value in record.items()}
    fields = dict[str, Any]()
    for name, others in _NAMES.items():
        value = next((given[other] for other in others if given.get(other) is not None), None)
        if value is not None and not (value == "" and name != "text"):
            fields[name] = _converted(value, FIELDS[name].types)
    return fields


def _converted(value: object, types: type | tuple[type, ...]) -> object:
    """Convert text to numbers and back where a field wants it; a check refuses what is neither."""
    if types is str:
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if isinstance(value, str):
        try:
            return int(value) if types is int else float(value)
        except ValueError:
            return value
    return value


def _found(folder: Path, audio: Path) -> Path:
    clip = folder / "clips" / audio
    return clip if not (folder / audio).exists() and clip.exists() else folder / audio
